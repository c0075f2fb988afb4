using System.Globalization;
using System.Text;
using Ccp.Crash.Audit;

namespace Ccp.Crash.Kills;

/// <summary>What a run came to.</summary>
internal sealed record KillReport(KillOptions Options, IReadOnlyList<KillResult> Results, IReadOnlyList<string> Faults)
{
    public IReadOnlyList<string> Violations =>
    [
        .. from result in Results
           from violation in result.Violations
           select $"kill {result.Order.Number}, {result.Order.Point.Name}: {violation}",
        .. Faults,
    ];

    public int Kills => Results.Count(result => result.Order.Point.End != ProcessEnd.Stopped);

    /// <summary>What was kept for a person to look into; for those who expected violations.</summary>
    public void DeleteKeptHouses()
    {
        foreach (var home in Results.Select(result => result.KeptHome).OfType<string>())
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>One line for each point of the schedule.</summary>
    public string Table()
    {
        var table = new StringBuilder();
        Row(table, "killed", "kills", "calls", "exact", "estimated", "none", "violations");
        foreach (var point in Options.Points.Append(KillOrder.ProperEnd))
        {
            Row(table, point.Name, [.. Results.Where(result => result.Order.Point == point)]);
        }

        Row(table, "all", Results);
        return table.ToString();
    }

    private static void Row(StringBuilder table, string name, IReadOnlyList<KillResult> results)
    {
        var charges = results.SelectMany(result => result.Charges).ToList();
        string Count(ChargeKind kind) => charges.Count(charge => charge == kind).ToString(CultureInfo.InvariantCulture);
        Row(table, name, Text(results.Count), Text(charges.Count), Count(ChargeKind.Exact), Count(ChargeKind.Estimated), Count(ChargeKind.None), Text(results.Sum(result => result.Violations.Count)));
    }

    private static void Row(StringBuilder table, string name, params ReadOnlySpan<string> columns)
    {
        table.Append(name.PadRight(40));
        foreach (var column in columns)
        {
            table.Append(column.PadLeft(11));
        }

        table.AppendLine();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
