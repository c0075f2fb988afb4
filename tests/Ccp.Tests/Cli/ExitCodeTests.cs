using System.CommandLine;
using Ccp.Cli;
using Ccp.Configuration;
using Ccp.Tests.Configuration;
using Ccp.Tests.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Cli;

/// <summary>A parameter that cannot be read is wrong usage, 2, whoever finds it out; one that can be read, and is refused, has failed, 1.</summary>
public sealed class ExitCodeTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly RootCommand _root;

    static ExitCodeTests() => SQLitePCL.Batteries_V2.Init();

    public ExitCodeTests()
    {
        string? Environment(string name) => name == "CCP_HOME" ? _folder.Path : null;
        _root = new RootCommand
        {
            SavingsCommand.Build(Environment),
            StatusCommand.Build(Environment),
            UsageCommand.Build(Environment),
            PricingCommands.Build(Environment),
            LedgerCommands.Build(Environment),
            RequestsCommand.Build(Environment),
            BalanceCommand.Build(Environment),
            UserCommands.Build(Environment),
        };
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("savings --since 7d", 0)]
    [InlineData("savings --since yesterday", 2)]
    [InlineData("status --since yesterday", 2)]
    [InlineData("usage --since yesterday", 2)]
    [InlineData("pricing rerate --since yesterday --dry-run", 2)]
    [InlineData("pricing rerate --since 7d --until later --dry-run", 2)]
    [InlineData("pricing rerate --since 7d --run a:b --dry-run", 2)]
    [InlineData("ledger show --limit 5000", 2)]
    [InlineData("requests --limit 0", 2)]
    [InlineData("user add a/b", 2)]
    [InlineData("user add alice --expires never", 2)]
    [InlineData("usage nobody", 1)]
    [InlineData("balance nobody 50", 1)]
    [InlineData("user add alice --balance 1", 1)]
    public async Task What_cannot_be_read_is_wrong_usage_and_what_is_refused_has_failed(string line, int exit)
    {
        await Till.Open(Configured.Good(""), DataDirectory.At(_folder.Path), null, TimeProvider.System, NullLogger.Instance).DisposeAsync();

        Assert.Equal(exit, await _root.Parse(line).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }));
    }
}
