namespace Ccp.Configuration;

/// <param name="Config">Null exactly when there are problems: a configuration is used whole or not at all.</param>
/// <param name="Problems">All of them, in the order of the file.</param>
/// <param name="Warnings">The configuration may be used all the same.</param>
/// <param name="EnvironmentInForce">Names of the environment variables that decided something, for <c>ccp check</c> to list.</param>
internal sealed record ConfigResult(
    CcpConfig? Config,
    IReadOnlyList<ConfigProblem> Problems,
    IReadOnlyList<ConfigProblem> Warnings,
    IReadOnlyList<string> EnvironmentInForce)
{
    /// <summary>What the file states, to be compared with another reading of it.</summary>
    public StatedSettings Stated { get; init; } = StatedSettings.None;

    /// <summary>The file it was read from; null for the built-in default.</summary>
    public string? File { get; init; }

    /// <summary>Not a character stands there.</summary>
    public bool IsBlank { get; init; }
}
