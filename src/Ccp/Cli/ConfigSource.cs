using Ccp.Configuration;

namespace Ccp.Cli;

/// <summary>The configuration that a command works with: a file, or the built-in default.</summary>
/// <param name="Name">What to call it in messages.</param>
internal sealed record ConfigSource(string Name, ConfigResult Result)
{
    /// <summary>Finds and reads it again, as a running server does when it has changed.</summary>
    public Func<ConfigSource>? Again { get; private init; }

    /// <summary>The file that would be read now; null for the built-in default.</summary>
    public Func<string?> Path { get; private init; } = static () => null;

    /// <summary>The file named, else <c>$CCP_CONFIG</c>, else <c>config.toml</c> in the data directory when there is one, else the built-in default.</summary>
    public static ConfigSource Load(string? named, DataDirectory data, Func<string, string?> environment)
    {
        var source = FileOf(named, data, environment) is { } file
            ? new ConfigSource(file, Read(file, environment))
            : new ConfigSource("built-in default", ConfigReader.Default(environment));
        return source with { Again = () => Load(named, data, environment), Path = () => FileOf(named, data, environment) };
    }

    private static string? FileOf(string? named, DataDirectory data, Func<string, string?> environment) =>
        named ?? environment("CCP_CONFIG") ?? (data.Resolve("config.toml") is var usual && File.Exists(usual) ? usual : null);

    private static ConfigResult Read(string file, Func<string, string?> environment)
    {
        try
        {
            return ConfigReader.Read(file, File.ReadAllBytes(file), environment, SecretFile.Read);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new ConfigResult(null, [new ConfigProblem(file, null, null, $"cannot be read: {error.Message.TrimEnd('.')}")], [], []);
        }
    }
}
