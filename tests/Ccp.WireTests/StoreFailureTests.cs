using System.Net;
using Ccp.ScriptedUpstream;
using Ccp.Store;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;
using Microsoft.Data.Sqlite;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>
/// Goal: when the store fails, billed calls are refused with a sentence, what runs is finished, nobody else is delayed, and all of it ends by itself
/// with its cause; nothing is lost and nothing charged twice.
/// Method: a small disk that is filled, a lock held by another connection, pages overwritten with rubbish, under a ccp that serves.
/// </summary>
public sealed class StoreFailureTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    /// <summary>25 × 2 and 15 × 10 millionths, twice.</summary>
    private const long SmallCharge = 400_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Gate _goOn = new();

    [Fact]
    public async Task On_a_full_disk_billed_calls_are_refused_what_runs_is_finished_and_charged_once_there_is_room_again()
    {
        using var disk = SmallDisk.OfMebiBytes(64);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Home = disk.Home);
        using var running = await ccp.AskAsync(text: "waits");
        disk.Fill(mebiBytesLeft: 0);

        // Money that cannot be written down is not taken.
        var (status, said) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/balance/alice", """{"amount":50,"reference":"while full"}""");
        Assert.Equal(503, status);
        Assert.Contains("Nothing was written. The disk of the store is full.", said.GetProperty("error").GetString(), StringComparison.Ordinal);
        await UntilReadyAsync(ccp, false);
        await AssertRefusedAsync(ccp);
        await AssertUnbilledTrafficPassesAsync(ccp);
        _goOn.Open();
        Assert.EndsWith(SseEvents.MessageStop, await running.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await UntilAsync(async () => (await ReadyAsync(ccp)).Json.TryGetProperty("unwritten", out var waiting) && waiting.GetInt32() > 0);
        Assert.Empty(ccp.Store.Charges);

        disk.Clear();
        await UntilReadyAsync(ccp, true);
        await TopUpTwiceAsync(ccp, "while full");
        using var next = await ccp.AskAsync();
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        await next.Content.ReadAsStringAsync();
        await AssertBooksAsync(ccp, charges: 2, paid: "100");
    }

    [Fact]
    public async Task The_last_room_on_the_disk_is_kept_for_calls_in_progress()
    {
        using var disk = SmallDisk.OfMebiBytes(64);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Home = disk.Home);
        using var running = await ccp.AskAsync(text: "waits");
        disk.Fill(mebiBytesLeft: 8);

        // The next thing that is written shows it.
        await ccp.TopUpAsync("alice", "1");
        await UntilReadyAsync(ccp, false);
        Assert.Contains("MiB left", (await ReadyAsync(ccp)).Json.GetProperty("store").GetString(), StringComparison.Ordinal);
        await AssertRefusedAsync(ccp);
        _goOn.Open();
        await running.Content.ReadAsStringAsync();
        await UntilAsync(() => Task.FromResult(ccp.Store.Charges.Count == 1));

        disk.Clear();
        await UntilReadyAsync(ccp, true);
        await AssertBooksAsync(ccp, charges: 1, paid: "51");
    }

    [Fact]
    public async Task A_ccp_that_is_killed_on_a_full_disk_charges_what_it_had_written_at_the_next_start_once()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "Only a process of its own can be killed.");
        using var disk = SmallDisk.OfMebiBytes(64);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Home = disk.Home);
        using var running = await ccp.AskAsync(text: "waits");
        disk.Fill(mebiBytesLeft: 0);
        _goOn.Open();
        await running.Content.ReadAsStringAsync();
        await ((NativeCcp)ccp).KillAsync();

        // With no room there is no recovery, and ccp says so instead of serving.
        var (exit, _, errors) = await NativeCcp.CommandAsync(ccp.Home, "serve");
        Assert.Equal(1, exit);
        Assert.Contains("The disk of the store is full. Free some space on it.", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);

        disk.Clear();
        await ccp.RunAsync();
        await ccp.StopAsync();
        await ccp.RunAsync();
        Assert.Contains("crash", Assert.Single(ccp.Store.Charges).Note, StringComparison.Ordinal);
        Assert.Empty(ccp.Store.OpenHolds);
    }

    [Fact]
    public async Task While_the_disk_is_slow_calls_wait_for_their_hold_and_nobody_else_waits()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        using var running = await ccp.AskAsync(text: "waits");
        Task<HttpResponseMessage> waiting;
        using (Locked(ccp))
        {
            waiting = ccp.AskAsync();
            await UntilAsync(() => Task.FromResult(Calls(upstream) == 2));
            for (var call = 0; call < 20; call++)
            {
                await AssertUnbilledTrafficPassesAsync(ccp);
            }

            // A stream that runs ends meanwhile; its charge waits with the hold.
            _goOn.Open();
            Assert.EndsWith(SseEvents.MessageStop, await running.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.False(waiting.IsCompleted);
            Assert.Equal(200, (await ReadyAsync(ccp)).Status);
        }

        using var answer = await waiting;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsStringAsync();
        await AssertBooksAsync(ccp, charges: 2, paid: "50");
    }

    [Fact]
    public async Task While_the_store_is_locked_for_long_billed_calls_are_refused_and_it_goes_on_by_itself_afterwards()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        using var running = await ccp.AskAsync(text: "waits");
        using (Locked(ccp))
        {
            // This one was admitted; the lock shows when its hold is to be written.
            await AssertRefusedAsync(ccp);
            var (status, ready) = await ReadyAsync(ccp);
            Assert.Equal(503, status);
            Assert.Contains("Another program holds a lock on the store", ready.GetProperty("store").GetString(), StringComparison.Ordinal);
            await AssertRefusedAsync(ccp);
            Assert.Equal(2, Calls(upstream));
            _goOn.Open();
            await running.Content.ReadAsStringAsync();
        }

        await UntilReadyAsync(ccp, true);
        using var next = await ccp.AskAsync();
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        await next.Content.ReadAsStringAsync();
        Assert.Contains("works again", ccp.Log, StringComparison.Ordinal);
        await AssertBooksAsync(ccp, charges: 2, paid: "50");
    }

    [Fact]
    public async Task While_syncs_take_long_no_byte_goes_out_before_its_hold_is_on_disk_and_each_call_is_charged_once()
    {
        using var disk = new UnsoundDisk();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: disk.GiveTo);

        // A sync that does not come to its end: the provider has answered, and nothing of that goes on.
        disk.SyncsAreStopped = true;
        var waiting = ccp.AskAsync(text: "waits");
        await UntilAsync(() => Task.FromResult(disk.IsSyncStopped && Calls(upstream) == 1));
        for (var call = 0; call < 20; call++)
        {
            await AssertUnbilledTrafficPassesAsync(ccp);
        }

        Assert.False(waiting.IsCompleted);
        Assert.Equal(200, (await ReadyAsync(ccp)).Status);
        disk.SyncsAreStopped = false;
        disk.SyncsAreSlow = true;
        using var running = await waiting;
        Assert.Single(ccp.Store.OpenHolds);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ccp.AskAsync()));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()));
        _goOn.Open();
        Assert.EndsWith(SseEvents.MessageStop, await running.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await AssertBooksAsync(ccp, charges: 21, paid: "50");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task When_syncs_fail_or_the_disk_turns_read_only_billed_calls_are_refused_what_runs_is_finished_and_it_goes_on_by_itself_afterwards(bool isReadOnly)
    {
        using var disk = new UnsoundDisk();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: disk.GiveTo);
        using var running = await ccp.AskAsync(text: "waits");
        disk.SyncsAreFailing = !isReadOnly;
        disk.IsReadOnly = isReadOnly;

        // This one was admitted; the failure shows when its hold is to be written. The next one is not sent on.
        await AssertRefusedAsync(ccp);
        await UntilReadyAsync(ccp, false);
        Assert.Contains("The disk of the store reports an error", (await ReadyAsync(ccp)).Json.GetProperty("store").GetString(), StringComparison.Ordinal);
        await AssertRefusedAsync(ccp);
        Assert.Equal(2, Calls(upstream));
        await AssertUnbilledTrafficPassesAsync(ccp);
        var (status, _) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/balance/alice", """{"amount":50,"reference":"while failing"}""");
        Assert.Equal(503, status);
        _goOn.Open();
        Assert.EndsWith(SseEvents.MessageStop, await running.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await UntilAsync(async () => (await ReadyAsync(ccp)).Json.TryGetProperty("unwritten", out var unwritten) && unwritten.GetInt32() > 0);
        Assert.Empty(ccp.Store.Charges);

        disk.SyncsAreFailing = disk.IsReadOnly = false;
        await UntilReadyAsync(ccp, true);
        await TopUpTwiceAsync(ccp, "while failing");
        using var next = await ccp.AskAsync();
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        await next.Content.ReadAsStringAsync();
        Assert.Contains("works again", ccp.Log, StringComparison.Ordinal);
        await AssertBooksAsync(ccp, charges: 2, paid: "100");
    }

    [Fact]
    public async Task Damaged_pages_are_found_after_the_start_and_nothing_billed_is_served_from_them()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0");
        await ccp.StopAsync();

        // A page of the ledger from before the month of its newest entry, which neither the start nor a call would read.
        InsertOldEntries(Path.Combine(ccp.Home, "ccp.db"), 200);
        Damage.PageWith(Path.Combine(ccp.Home, "ccp.db"), "old entry 100.");
        await ccp.RunAsync();
        await ccp.TopUpAsync("alice", "50");

        await UntilReadyAsync(ccp, false);
        Assert.Contains("damaged", (await ReadyAsync(ccp)).Json.GetProperty("store").GetString(), StringComparison.Ordinal);
        await AssertRefusedAsync(ccp);
        await AssertUnbilledTrafficPassesAsync(ccp);
        var (status, said) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/ledger?limit=1000");
        Assert.Equal(503, status);
        Assert.Contains("damaged", said.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(CcpUnderTest.TeamKey, ccp.Log, StringComparison.Ordinal);
    }

    /// <summary>Whether a lane is there is asked too, and is no call.</summary>
    private static int Calls(ScriptedUpstreamServer upstream) => upstream.Requests.Count(request => request.Method == "POST");

    private static void InsertOldEntries(string path, int count)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
            INSERT INTO entry (at_ms, account_id, kind, amount_nano, balance_after_nano, reference, actor, note, hash)
            SELECT 1700000000000 + n * 86400000, 1, 'adjustment', 1, n, 'old-' || n, 'test', 'old entry ' || n || '.' || printf('%200s', ''), randomblob(32) FROM number;
            PRAGMA wal_checkpoint(TRUNCATE);
            """;
        command.ExecuteNonQuery();
    }

    [Fact]
    public async Task What_is_no_store_or_cannot_be_written_is_named_at_the_start()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "What a command prints is seen on the executable.");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        using var disk = SmallDisk.OfMebiBytes(64);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Home = disk.Home);
        await ccp.StopAsync();
        disk.MakeReadOnly();
        await AssertStartFailsAsync(ccp.Home, "Read-only file system", "must be writable for the user that ccp runs as");

        var broken = Directory.CreateTempSubdirectory("ccp-wire-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(broken, "ccp.db"), new string('x', 9000));
            await AssertStartFailsAsync(broken, "There is no master key", "CCP_MASTER_KEY");
            File.Copy(Path.Combine(ccp.Home, "master.key"), Path.Combine(broken, "master.key"));
            await AssertStartFailsAsync(broken, "The store is damaged", "restore a backup");
        }
        finally
        {
            Directory.Delete(broken, recursive: true);
        }
    }

    [Fact]
    public async Task A_second_ccp_on_the_same_store_says_so_and_ends()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "A second process runs the executable.");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        await AssertStartFailsAsync(ccp.Home, "is in use by another ccp", "stop that one first");

        // A command asks the one that serves, over its socket; without the socket it does not open what another has open.
        Assert.Equal(0, (await NativeCcp.CommandAsync(ccp.Home, "ledger", "verify")).ExitCode);
        File.Move(Path.Combine(ccp.Home, "ccp.sock"), Path.Combine(ccp.Home, "hidden.sock"));
        var (exit, _, errors) = await NativeCcp.CommandAsync(ccp.Home, "balance", "alice", "50");
        Assert.Equal(1, exit);
        Assert.Contains("A ccp has the store", errors, StringComparison.Ordinal);
        File.Move(Path.Combine(ccp.Home, "hidden.sock"), Path.Combine(ccp.Home, "ccp.sock"));
        using var answer = await ccp.AskAsync();
        await answer.Content.ReadAsStringAsync();
        await AssertBooksAsync(ccp, charges: 1, paid: "50");
    }

    private static async Task AssertStartFailsAsync(string home, params string[] says)
    {
        var (exit, output, errors) = await NativeCcp.CommandAsync(home, "serve", "--listen", "127.0.0.1:0");
        Assert.Equal(1, exit);
        Assert.Empty(output);
        Assert.All(says, words => Assert.Contains(words, errors, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    /// <summary>"waits" begins at once and ends when the gate opens; everything else is answered.</summary>
    private Script Answer(RecordedRequest request) => request.Path.Contains("count_tokens", StringComparison.Ordinal) ? Answers.CountTokens(7)
        : request.BodyText.Contains("waits", StringComparison.Ordinal)
            ? Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta("hello"))
                .WaitFor(_goOn).Send(SseEvents.BlockStop()).Send(SseEvents.MessageDelta(Small)).Send(SseEvents.MessageStop)
            : Answers.Stream(CcpUnderTest.Model, ["hi"], Small);

    private static async Task AssertRefusedAsync(CcpUnderTest ccp)
    {
        using var refused = await ccp.AskAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("false", refused.Headers.GetValues("x-should-retry").Single());
        var said = await refused.Content.ReadAsStringAsync();
        Assert.Contains("\"api_error\"", said, StringComparison.Ordinal);
        Assert.Contains("ccp cannot write its ledger at the moment", said, StringComparison.Ordinal);
    }

    private static async Task AssertUnbilledTrafficPassesAsync(CcpUnderTest ccp)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        using var counted = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages/count_tokens", body: CcpUnderTest.Body()), limit.Token);
        Assert.Equal("""{"input_tokens":7}""", await counted.Content.ReadAsStringAsync(limit.Token));
    }

    /// <summary>Every call charged once, every payment counted once, and memory at one with the disk, before and after a restart.</summary>
    private static async Task AssertBooksAsync(CcpUnderTest ccp, int charges, string paid)
    {
        var expected = CcpSetup.Dollars(paid).Value - (charges * SmallCharge);
        await UntilAsync(() => Task.FromResult(ccp.Store.Charges.Count >= charges));
        var (_, balance) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/balance/alice");
        Assert.Equal(expected, CcpSetup.Dollars(balance.GetProperty("balance").GetRawText()).Value);
        var (_, verdict) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/ledger/verify");
        Assert.True(verdict.GetProperty("ok").GetBoolean(), verdict.ToString());
        await ccp.StopAsync();
        Assert.Equal(expected, ccp.Store.BalanceOfAlice.Value);
        Assert.Equal(charges, ccp.Store.Charges.Count);
        Assert.All(ccp.Store.Charges, charge => Assert.Equal(-SmallCharge, charge.Amount.Value));
        Assert.Empty(ccp.Store.OpenHolds);
    }

    /// <summary>The first may or may not find it standing; the second must.</summary>
    private static async Task TopUpTwiceAsync(CcpUnderTest ccp, string reference)
    {
        var said = "";
        for (var time = 0; time < 2; time++)
        {
            var (status, json) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/balance/alice", $$"""{"amount":50,"reference":"{{reference}}"}""");
            Assert.Equal(200, status);
            said = json.GetProperty("message").GetString();
        }

        Assert.Contains("nothing was added", said, StringComparison.Ordinal);
    }

    /// <summary>Another program's write transaction, until it is disposed.</summary>
    private static Database Locked(CcpUnderTest ccp)
    {
        var other = Database.OpenWriter(Path.Combine(ccp.Home, "ccp.db"), syncsEveryCommit: false);
        other.Run("BEGIN IMMEDIATE");
        return other;
    }

    private static Task<(int Status, System.Text.Json.JsonElement Json)> ReadyAsync(CcpUnderTest ccp) => ccp.AdministerAsync(HttpMethod.Get, "/readyz");

    private static Task UntilReadyAsync(CcpUnderTest ccp, bool ready) => UntilAsync(async () => (await ReadyAsync(ccp)).Status == (ready ? 200 : 503));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "What the test waits for did not happen.");
        }
    }
}
