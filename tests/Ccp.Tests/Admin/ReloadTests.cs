using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Licenses;
using Ccp.Tests.Configuration;
using Ccp.Tests.Licenses;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Admin;

/// <summary>What a reload keeps back is shown; what the store kept back is tried again.</summary>
public sealed class ReloadTests
{
    [Theory]
    [InlineData("", "config.toml: is empty, and was not")]
    [InlineData("[[lane]]\nname = 'zai'\nprice_as = 'house-1'\n[[price]]\nmodel = 'house-1'\ninput = 1\noutput = 2", "price: the price of \"house-1\" (config.toml:4) is taken up by a restart only")]
    public async Task What_is_kept_back_is_shown_until_it_is_put_right(string text, string problem)
    {
        await using var till = TillUnderTest.WithConfig("[server]\ndrain = '1s'");
        till.FileText = text;
        var answer = await till.AskAsync("POST", "/admin/reload");
        Assert.False(answer.Json.GetProperty("ok").GetBoolean());
        Assert.Contains(problem, (await till.AskAsync("GET", "/readyz")).Json.GetProperty("configuration").GetString(), StringComparison.Ordinal);

        till.FileText = "[server]\ndrain = '1s'";
        await till.AskAsync("POST", "/admin/reload");
        Assert.False((await till.AskAsync("GET", "/readyz")).Json.TryGetProperty("configuration", out _));
    }

    [Fact]
    public async Task Quotas_that_the_store_could_not_count_are_counted_at_the_next_reload_of_the_same_file()
    {
        SQLitePCL.Batteries_V2.Init();
        using var folder = new TempFolder();
        var data = DataDirectory.At(folder.Path);
        var clock = new ManualClock();
        var log = new LogLines();
        var started = Configured.Result("");
        await using var till = Till.Open(started.Config!, data, new string('a', 64), clock, log);
        using var license = new CurrentLicense(new LicenseSource(folder["license"], _ => null), IssuedLicense.Keys, clock, log);
        using var board = new Switchboard(till, data, TrustedRoots.Find(null, null, null), license, started, () => Configured.Result("[[quota]]\nmodel = '*'\nlane = 'zai'\nrolling_tokens = 700"));

        await RunAsync("ALTER TABLE quota_overshoot RENAME TO gone");
        board.Config.Reload("a test");
        await Waiting.UntilAsync(() => log.All.Any(line => line.Contains("could not be counted", StringComparison.Ordinal)));
        Assert.Empty(till.Quotas.At(clock.GetUtcNow()));
        await RunAsync("ALTER TABLE gone RENAME TO quota_overshoot");

        board.Config.Reload("a test");
        await Waiting.UntilAsync(() => till.Quotas.At(clock.GetUtcNow()) is [{ Quota.RollingTokens: 700 }]);

        async Task RunAsync(string sql) => await till.Writes.WriteAsync(database =>
        {
            database.Execute(sql);
            return true;
        });
    }
}
