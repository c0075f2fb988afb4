using Ccp.Cli;
using Ccp.Configuration;
using Ccp.Ledger;

namespace Ccp.WireTests.Hosting;

internal sealed class InProcessCcp(CcpSetup setup) : CcpUnderTest(setup)
{
    private readonly LogText _log = new();
    private RunningServer? _server;
    private int _topUps;

    public override string Log => _log.ToString();

    public override async Task RunAsync()
    {
        SQLitePCL.Batteries_V2.Init();
        string? Lookup(string name) => Setup.Environment.GetValueOrDefault(name);
        var source = ConfigSource.Load(ConfigPath, DataDirectory.At(Home), Lookup);
        Assert.Empty(source.Result.Problems);
        _server = await RunningServer.StartAsync(source, DataDirectory.At(Home), Lookup, Setup.Clock ?? TimeProvider.System, _log, Setup.LicenseKeys);
        Address = new Uri(_server.Addresses.Single());
    }

    public override async Task StopAsync()
    {
        if (_server is { } server)
        {
            _server = null;
            await server.DrainAsync();
            await server.DisposeAsync();
        }
    }

    public override async Task TopUpAsync(string user, string usd)
    {
        var till = _server!.Till;
        var result = await till.Ledger.PostAsync(till.Users.FindByName(user)!.AccountId, EntryKind.TopUp, CcpSetup.Dollars(usd), $"test-{_topUps++}", "test", "");
        Assert.Equal(PostResult.Posted, result);
    }
}
