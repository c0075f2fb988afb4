using Ccp.Configuration.Toml;

namespace Ccp.Configuration;

/// <summary>Collects what is wrong with one file while it is read, so that an operator edits it once.</summary>
internal sealed class ConfigProblems(string fileName)
{
    private readonly List<ConfigProblem> _problems = [];
    private readonly List<ConfigProblem> _warnings = [];

    public string FileName => fileName;

    public void Add(TomlPosition at, string? setting, string message) => _problems.Add(new ConfigProblem(fileName, at, setting, message));

    /// <summary>For what an environment variable said.</summary>
    public void AddEnvironment(string variable, string message) => _problems.Add(new ConfigProblem(null, null, variable, message));

    public void Warn(TomlPosition at, string setting, string message) => _warnings.Add(new ConfigProblem(fileName, at, setting, message));

    /// <summary>Problems without a place first, the rest in the order of the file.</summary>
    public IReadOnlyList<ConfigProblem> InOrder() => [.. _problems.OrderBy(problem => problem.At ?? default)];

    public IReadOnlyList<ConfigProblem> WarningsInOrder() => [.. _warnings.OrderBy(warning => warning.At ?? default)];
}
