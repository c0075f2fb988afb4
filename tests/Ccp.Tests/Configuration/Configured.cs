using System.Text;
using Ccp.Configuration;

namespace Ccp.Tests.Configuration;

/// <summary>Reads configurations in tests: text in, with an environment and files that exist only here.</summary>
internal static class Configured
{
    public const string Token = "3f2b8c1e-9d47-4a60-8e15-7c0d2b9a4f61";

    public static ConfigResult Result(
        string toml,
        Dictionary<string, string>? environment = null,
        Dictionary<string, SecretFile>? files = null) =>
        Result(Encoding.UTF8.GetBytes(toml), environment, files);

    public static ConfigResult Result(byte[] toml, Dictionary<string, string>? environment = null, Dictionary<string, SecretFile>? files = null) =>
        ConfigReader.Read(
            "config.toml",
            toml,
            name => environment?.GetValueOrDefault(name),
            path => files?.GetValueOrDefault(path) ?? new SecretFile(null, "does not exist"));

    public static CcpConfig Good(string toml, Dictionary<string, string>? environment = null, Dictionary<string, SecretFile>? files = null)
    {
        var result = Result(toml, environment, files);
        Assert.Empty(result.Problems);
        return result.Config!;
    }

    /// <summary>The problems as they are printed.</summary>
    public static string[] Problems(string toml, Dictionary<string, string>? environment = null, Dictionary<string, SecretFile>? files = null)
    {
        var result = Result(toml, environment, files);
        Assert.Equal(result.Problems.Count > 0, result.Config is null);
        return [.. result.Problems.Select(problem => problem.ToString())];
    }

    public static string Problem(string toml, Dictionary<string, string>? environment = null, Dictionary<string, SecretFile>? files = null) =>
        Assert.Single(Problems(toml, environment, files));
}
