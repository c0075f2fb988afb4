using Ccp.Configuration;

namespace Ccp.Cli;

/// <summary>The configuration that a command works with: a file, or the built-in default.</summary>
/// <param name="Name">What to call it in messages.</param>
/// <param name="Again">Reads it anew, as it stands by then.</param>
internal sealed record ConfigSource(string Name, ConfigResult Result, Func<ConfigResult> Again)
{
    /// <summary>The file named, else <c>$CCP_CONFIG</c>, else <c>config.toml</c> in the data directory when there is one, else the built-in default.</summary>
    public static ConfigSource Load(string? named, DataDirectory data, Func<string, string?> environment)
    {
        ConfigResult Again() => Load(named, data, environment).Result;
        var file = named ?? environment("CCP_CONFIG");
        if (file is null && File.Exists(data.Resolve("config.toml")))
        {
            file = data.Resolve("config.toml");
        }

        if (file is null)
        {
            return new ConfigSource("built-in default", ConfigReader.Default(environment), Again);
        }

        try
        {
            return new ConfigSource(file, ConfigReader.Read(file, File.ReadAllBytes(file), environment, SecretFile.Read), Again);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var problem = new ConfigProblem(file, null, null, $"cannot be read: {error.Message}");
            return new ConfigSource(file, new ConfigResult(null, [problem], [], []), Again);
        }
    }
}
