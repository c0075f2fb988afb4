namespace Ccp.Configuration;

/// <summary>Follows <c>env:NAME</c> and <c>file:/path</c> to the secret behind them.</summary>
internal sealed class SecretReferences(Func<string, string?> environment, Func<string, SecretFile> files)
{
    private const string Environment = "env:";
    private const string File = "file:";

    private readonly SortedSet<string> _variablesUsed = new(StringComparer.Ordinal);

    /// <summary>The variables that a secret came from.</summary>
    public IReadOnlyCollection<string> VariablesUsed => _variablesUsed;

    /// <summary>Reads the secret that a setting refers to.</summary>
    /// <param name="unsetVariable">Not null when the reference names a variable that has no value. That is not reported: it is the caller's to judge.</param>
    /// <returns>Null when the setting is absent or wrong, which is reported, or when its variable is unset.</returns>
    public Secret? Resolve(ConfigTable table, string key, out string? unsetVariable)
    {
        unsetVariable = null;
        if (table.TextOfSecret(key) is not { } reference)
        {
            return null;
        }

        if (reference.StartsWith(Environment, StringComparison.Ordinal) && IsVariableName(reference.AsSpan(Environment.Length)))
        {
            var name = reference[Environment.Length..];
            var value = FromVariable(name, message => table.Refuse(key, $"the variable {name} {message}"), out var isSet);
            unsetVariable = isSet ? null : name;
            return value;
        }

        if (reference.StartsWith("file:/", StringComparison.Ordinal) && !reference.Any(char.IsControl))
        {
            return FromFile(table, key, reference[File.Length..]);
        }

        // The text is not repeated: it may well be the secret itself.
        table.Refuse(key, "expected a reference, \"env:NAME\" or \"file:/path\"; a secret is never written into the file itself");
        return null;
    }

    /// <summary>Reads the variable that a setting stands for when it is left out.</summary>
    /// <returns>Null when it is unset, or when a problem was reported.</returns>
    public Secret? ResolveVariable(string name, ConfigProblems problems) =>
        FromVariable(name, message => problems.AddEnvironment(name, $"this variable {message}"), out _);

    private Secret? FromVariable(string name, Action<string> refuse, out bool isSet)
    {
        var value = environment(name)?.Trim();
        isSet = !string.IsNullOrEmpty(value);
        if (!isSet)
        {
            return null;
        }

        _variablesUsed.Add(name);
        return Checked(value!, refuse);
    }

    private Secret? FromFile(ConfigTable table, string key, string path)
    {
        var file = files(path);
        var content = file.Content?.Trim();
        if (!string.IsNullOrEmpty(content))
        {
            return Checked(content, message => table.Refuse(key, $"the file {path} {message}"));
        }

        table.Refuse(key, $"the file {path} {file.Refusal ?? "is empty"}");
        return null;
    }

    private static Secret? Checked(string value, Action<string> refuse)
    {
        // A secret travels in a header. A line break in it would end that header and begin one of its own.
        if (value.All(c => c is > ' ' and <= '~'))
        {
            return new Secret(value);
        }

        refuse("holds a blank, a line break or a letter that a header cannot carry");
        return null;
    }

    private static bool IsVariableName(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
        }

        return !name.IsEmpty && !char.IsAsciiDigit(name[0]);
    }
}
