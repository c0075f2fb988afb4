namespace Ccp.Configuration;

/// <summary>Finds the name that was probably meant.</summary>
internal static class NearestName
{
    /// <returns>Null when nothing is close: a far-fetched guess helps less than none.</returns>
    public static string? Of(string written, IEnumerable<string> known)
    {
        // Also bounds the work: no setting's name is as long.
        if (written.Length > 64)
        {
            return null;
        }

        var (name, distance) = known
            .Select(candidate => (Name: candidate, Distance: Distance(Folded(written), Folded(candidate))))
            .DefaultIfEmpty((Name: "", Distance: int.MaxValue))
            .MinBy(candidate => candidate.Distance);
        return distance <= Math.Max(1, name.Length / 3) ? name : null;
    }

    /// <summary>"maxBody" and "max-body" are "max_body" to the person who wrote them.</summary>
    private static string Folded(string name) =>
        name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();

    /// <summary>Letters to insert, delete or replace on the way from one to the other (Levenshtein), two rows at a time.</summary>
    private static int Distance(string from, string to)
    {
        var above = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var row = new int[to.Length + 1];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, Math.Min(above[j], row[j - 1]) + 1);
            }

            above = row;
        }

        return above[^1];
    }
}
