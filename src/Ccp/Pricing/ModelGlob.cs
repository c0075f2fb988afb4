namespace Ccp.Pricing;

/// <summary>A pattern for model ids in which <c>*</c> stands for any run of characters, also none. Nothing else is special.</summary>
internal static class ModelGlob
{
    public static bool IsGlob(string pattern) => pattern.Contains('*', StringComparison.Ordinal);

    /// <returns>Whether the whole of <paramref name="model"/> fits. Case matters, as it does upstream.</returns>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> model)
    {
        var star = -1;
        var resume = 0;
        var at = 0;
        var next = 0;
        while (next < model.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                star = at++;
                resume = next;
            }
            else if (at < pattern.Length && pattern[at] == model[next])
            {
                at++;
                next++;
            }
            else if (star >= 0)
            {
                // Only the last star need ever be tried again: an earlier one has found the earliest fit already.
                at = star + 1;
                next = ++resume;
            }
            else
            {
                return false;
            }
        }

        return pattern[at..].TrimStart('*').IsEmpty;
    }
}
