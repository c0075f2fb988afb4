using Ccp.Admin;
using Ccp.Cli;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Telemetry;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Cli;

/// <summary>Charges that came after the backup: each is posted once, to the digit, and none that the ledger has.</summary>
public sealed class LedgerMissingTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TillUnderTest _till = TillUnderTest.WithConfig();

    public async ValueTask DisposeAsync()
    {
        await _till.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Charges_that_came_after_the_backup_are_posted_once_and_to_the_digit()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        await _till.ChargeAsync("alice", "1", "req_kept");
        Log(("req_kept", "alice", "1"), ("req_small", "alice", "0.00009448"), ("req_smallest", "alice", "0.000000001"));

        Assert.Equal(ExitCodes.Ok, await RunAsync(posts: false));
        Assert.Equal("49", await BalanceAsync("alice"));
        Assert.Equal(ExitCodes.Ok, await RunAsync(posts: true));
        Assert.Equal("48.999905519", await BalanceAsync("alice"));
        Assert.Equal(ExitCodes.Ok, await RunAsync(posts: true));
        Assert.Equal("48.999905519", await BalanceAsync("alice"));
        Assert.Equal("true", (await _till.AskAsync("GET", "/admin/ledger/verify")).Digits("ok"));
    }

    [Fact]
    public async Task A_charge_on_an_older_page_of_the_ledger_is_found()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        await _till.ChargeAsync("alice", "1", "req_first");
        for (var call = 0; call < 1_000; call++)
        {
            await _till.ChargeAsync("alice", "0.001", $"req_{call}");
        }

        Log(("req_first", "alice", "1"));
        Assert.Equal(ExitCodes.Ok, await RunAsync(posts: true));
        Assert.Equal("48", await BalanceAsync("alice"));
    }

    [Fact]
    public async Task A_charge_that_recovery_made_after_the_backup_is_in_the_log_and_posted_once()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        Assert.Equal(201, (await _till.AskAsync("POST", "/admin/db/backup", $$"""{"path":"{{_folder["a.db"]}}"}""")).Status);
        var alice = _till.User("alice");
        Assert.True(_till.Till.Ledger.Place(alice.AccountId, new RequestId("req_running"), new NanoUsd(1), isFree: false, canEndEarly: true).Allows(out var hold, out _));
        await hold.MakeDurableAsync(new HoldRow(
            "req_running", alice.AccountId, _till.Clock.GetUtcNow(), new NanoUsd(1), new NanoUsd(150_000_000), new NanoUsd(300_000_000), new TokenUsage { Input = 5 }, alice.Id, "claude-opus-5-5", "anthropic", true, null, null, "{}"));

        // Nobody settles it: the next start does.
        await _till.RestartAsync();
        Assert.Equal("49.7", await BalanceAsync("alice"));
        var store = _till.Till.DatabasePath;
        await _till.RestartAsync(whileClosed: () => StoreRestore.Run(_folder["a.db"], store, _till.Till.Master, _till.Clock));
        Assert.Equal("50", await BalanceAsync("alice"));
        File.Copy(Path.Combine(_till.Home, "logs", "usage.jsonl"), _folder["usage.jsonl"]);
        _till.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal(ExitCodes.Ok, await RunAsync(posts: true));
        Assert.Equal("49.7", await BalanceAsync("alice"));
        Assert.Equal(ExitCodes.Ok, await RunAsync(posts: true));
        Assert.Equal("49.7", await BalanceAsync("alice"));
    }

    [Fact]
    public async Task A_charge_that_is_refused_fails_the_command_and_keeps_no_other_back()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        Log(("req_1", "nobody", "1"), ("req_2", "alice", "2"));

        Assert.Equal(ExitCodes.Failed, await RunAsync(posts: true));
        Assert.Equal("48", await BalanceAsync("alice"));
    }

    [Fact]
    public async Task A_call_that_has_just_ended_is_on_its_way_and_not_missing()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        await File.WriteAllTextAsync(_folder["usage.jsonl"], $$"""{"ts":{{_till.Clock.GetUtcNow().ToUnixTimeSeconds() - 60}},"rid":"req_1","user":"alice","charge_usd":1}""");

        Assert.Equal(ExitCodes.Ok, await RunAsync(posts: true));
        Assert.Equal("50", await BalanceAsync("alice"));
        _till.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(ExitCodes.Ok, await RunAsync(posts: true));
        Assert.Equal("49", await BalanceAsync("alice"));
    }

    [Fact]
    public async Task While_charges_wait_for_the_store_nothing_is_posted()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        Log(("req_1", "alice", "1"));
        _till.Till.Writes.ReportDamage("The store is damaged (for the test).");
        await Tests.Store.Waiting.UntilAsync(() => _till.Till.Writes.Problem is not null);

        Assert.Contains("run this again: The store is damaged", (await Assert.ThrowsAsync<CommandFailedException>(() => RunAsync(posts: true))).Message, StringComparison.Ordinal);
        Assert.Equal("50", await BalanceAsync("alice"));
    }

    private void Log(params (string Id, string User, string Charge)[] calls) => File.WriteAllLines(
        _folder["usage.jsonl"],
        calls.Select(call => $$"""{"ts":1.5,"rid":"{{call.Id}}","status":200,"user":"{{call.User}}","model":"claude-haiku-4-5","charge_usd":{{call.Charge}}}"""));

    private async Task<string> BalanceAsync(string user) => (await _till.AskAsync("GET", $"/admin/balance/{user}")).Digits("balance");

    private async Task<int> RunAsync(bool posts)
    {
        await using var connection = new Connection(_till.Api);
        return await LedgerMissingCommand.RunAsync(connection, [_folder["usage.jsonl"]], posts, _till.Clock);
    }

    private sealed class Connection(AdminApi api) : AdminConnection
    {
        public override async Task<AdminAnswer> SendAsync(AdminCall call) =>
            await api.HandleAsync(new AdminRequest(call.Method, call.Path, call.Query, call.Body, new AdminActor(null, IsHostOperator: true)));

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
