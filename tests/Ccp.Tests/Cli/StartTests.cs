using Ccp.Cli;
using Ccp.Configuration;
using Ccp.Tests.Licenses;
using Ccp.Tests.Store;

namespace Ccp.Tests.Cli;

/// <summary>What the log says of a start.</summary>
public sealed class StartTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", null, true)]
    [InlineData("", "sk-ant-test", false)]
    [InlineData("[[lane]]\nname = \"anthropic\"\nheader = \"passthrough\"", null, false)]
    public async Task A_start_without_a_key_for_anthropic_is_warned_about(string toml, string? key, bool isWarned)
    {
        var log = new LogLines();
        await File.WriteAllTextAsync(_folder["config.toml"], $"[server]\nlisten = \"127.0.0.1:0\"\n{toml}\n", TestContext.Current.CancellationToken);
        string? Environment(string name) => name == "DEFAULT_ANTHROPIC_API_KEY" ? key : null;
        var data = DataDirectory.At(_folder["home"]);
        await using var server = await RunningServer.StartAsync(ConfigSource.Load(_folder["config.toml"], data, Environment), data, Environment, TimeProvider.System, log);

        Assert.Equal(isWarned, log.All.Any(line => line.StartsWith("Warning: The anthropic lane has no key: users without a key of their own are refused there. Set DEFAULT_ANTHROPIC_API_KEY", StringComparison.Ordinal)));
    }
}
