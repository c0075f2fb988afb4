using Ccp.Configuration;

namespace Ccp.Cli;

/// <summary>The configuration that a command works with: a file, or the built-in default.</summary>
/// <param name="Name">What to call it in messages.</param>
internal sealed record ConfigSource(string Name, ConfigResult Result)
{
    /// <summary>Finds and reads it again, as a running server does when it has changed.</summary>
    public Func<ConfigSource>? Again { get; private init; }

    /// <summary>The file that is read; also the one that would be, were it there.</summary>
    public string Path { get; private init; } = "";

    /// <summary>What the file was just before it was read.</summary>
    public FileStamp Stamp { get; private init; }

    /// <summary>The file named, else <c>$CCP_CONFIG</c>, else <c>config.toml</c> in the data directory when there is one, else the built-in default.</summary>
    public static ConfigSource Load(string? named, DataDirectory data, Func<string, string?> environment)
    {
        if (named is not null && string.IsNullOrWhiteSpace(named))
        {
            return new ConfigSource("--config", new ConfigResult(null, [new ConfigProblem(null, null, "--config", "expected the name of a file, found an empty text")], [], []));
        }

        var stated = named ?? (environment("CCP_CONFIG") is { } variable && !string.IsNullOrWhiteSpace(variable) ? variable : null);
        var path = stated ?? data.Resolve("config.toml");

        // Before it is read: what changes from here on is noticed.
        var stamp = FileStamp.Of(path);
        var source = stated is not null || File.Exists(path)
            ? new ConfigSource(path, Read(path, environment))
            : new ConfigSource("built-in default", ConfigReader.Default(environment));
        return source with { Again = () => Load(named, data, environment), Path = path, Stamp = stamp };
    }

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
