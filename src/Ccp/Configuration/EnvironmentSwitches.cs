namespace Ccp.Configuration;

/// <summary>Reads the variables that are switches: 1 or 0.</summary>
internal sealed class EnvironmentSwitches(Func<string, string?> environment, ConfigProblems problems)
{
    private readonly SortedSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>The variables that say something.</summary>
    public IReadOnlyCollection<string> VariablesUsed => _used;

    /// <returns>Null when it is unset, or when a problem was reported.</returns>
    public bool? Flag(string variable)
    {
        if (environment(variable)?.Trim() is not { Length: > 0 } text)
        {
            return null;
        }

        _used.Add(variable);
        switch (text.ToUpperInvariant())
        {
            case "1" or "TRUE":
                return true;
            case "0" or "FALSE":
                return false;
            default:
                problems.AddEnvironment(variable, "this variable must be 1 or 0");
                return null;
        }
    }

    /// <returns>Null when it is unset, or when a problem was reported.</returns>
    public T? Choice<T>(string variable, params ReadOnlySpan<(string Word, T Meaning)> choices) where T : struct
    {
        if (environment(variable)?.Trim() is not { Length: > 0 } text)
        {
            return null;
        }

        _used.Add(variable);
        foreach (var (word, meaning) in choices)
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase))
            {
                return meaning;
            }
        }

        problems.AddEnvironment(variable, "this variable has a value that is not understood");
        return null;
    }
}
