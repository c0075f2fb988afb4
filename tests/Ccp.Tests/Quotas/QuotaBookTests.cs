using Ccp.Admin;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Quotas;

/// <summary>
/// Goal: what is counted while calls run, what their records say, and what is rebuilt from those is one number.
/// </summary>
public sealed class QuotaBookTests
{
    [Fact]
    public async Task A_call_counts_while_it_runs_and_once()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var use = scene.Open();
        Assert.Equal((0L, 1), (scene.Standing.Rolling!.Used, scene.Standing.InFlight));
        use.Note(QuotaScene.Used(300));
        use.Note(QuotaScene.Used(700));
        Assert.Equal(700, scene.Standing.Rolling!.Used);
        use.Close(QuotaScene.Used(650));
        Assert.Equal((650L, 0), (scene.Standing.Rolling!.Used, scene.Standing.InFlight));
    }

    [Fact]
    public async Task A_call_that_came_to_nothing_counts_nothing()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var use = scene.Open();
        use.Note(QuotaScene.Used(300));
        use.Close(default);
        Assert.Equal(0, scene.Standing.Rolling!.Used);
    }

    [Fact]
    public async Task A_restart_counts_what_was_counted_to_the_token_at_every_later_moment()
    {
        await using var scene = await QuotaScene.BuildAsync("weekly_tokens = 5000", "rolling_tokens = 100000\nrolling = '61m'");
        var random = new Random(5);
        for (var call = 0; call < 60; call++)
        {
            scene.Books.Clock.Advance(TimeSpan.FromSeconds(random.Next(300)));
            await scene.ServeAsync(random.Next(4, 400), at: scene.Books.Clock.GetUtcNow() - TimeSpan.FromSeconds(random.Next(120)));
        }

        var clock = scene.Books.Clock;
        var moments = Enumerable.Range(0, 90).Select(step => clock.GetUtcNow() + (step * TimeSpan.FromSeconds(47))).ToList();
        var before = new List<(long?, long?)>();
        var began = clock.GetUtcNow();
        await scene.RestartAsync();
        var rebuilt = scene.Standing;

        // The store is asked once more at each moment; the book that has run on must agree.
        foreach (var moment in moments)
        {
            clock.Advance(moment - clock.GetUtcNow());
            before.Add((scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));
            await scene.Quotas.ReloadAsync(scene.Books.Till.Config.Quotas);
            Assert.Equal(before[^1], (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));
        }

        Assert.True(before[0].Item1 > before[^1].Item1, $"Nothing left the window between {began} and {clock.GetUtcNow()}.");
        Assert.True(rebuilt.Weekly!.Used > 5_000);
    }

    [Fact]
    public async Task A_reload_neither_loses_nor_doubles_calls_that_run_or_have_just_ended()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var (running, recorded) = (scene.NewId(), scene.NewId());
        var first = scene.Open(running);
        var second = scene.Open(recorded);
        first.Note(QuotaScene.Used(100));
        second.Note(QuotaScene.Used(190));
        await scene.RecordAsync(recorded, 200);

        // The second one's record is written; that it is over is not known yet.
        await scene.Quotas.ReloadAsync(scene.Books.Till.Config.Quotas);
        Assert.Equal(300, scene.Standing.Rolling!.Used);
        second.Close(QuotaScene.Used(200));
        first.Note(QuotaScene.Used(150));
        Assert.Equal(350, scene.Standing.Rolling!.Used);

        // The first one ends while the store is being asked: its record comes after what is read.
        var reloaded = scene.Quotas.ReloadAsync(scene.Books.Till.Config.Quotas);
        var written = scene.RecordAsync(running, 160);
        first.Close(QuotaScene.Used(160));
        await reloaded;
        await written;
        Assert.Equal(360, scene.Standing.Rolling!.Used);
        await scene.RestartAsync();
        Assert.Equal(360, scene.Standing.Rolling!.Used);
    }

    [Fact]
    public async Task A_call_that_a_crash_ended_counts_as_it_is_charged()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var user = scene.Books.User("alice");
        var row = new Ccp.Ledger.HoldRow(
            scene.NewId(), user.AccountId, scene.Books.Clock.GetUtcNow(), default, default, default, QuotaScene.Used(400), user.Id, QuotaScene.Haiku, "zai", true, null, null, "{}");
        await scene.Books.Till.Writes.WriteAsync(database =>
        {
            row.Insert(database);
            return true;
        });
        await scene.RestartAsync();
        Assert.Equal(400, scene.Standing.Rolling!.Used);
    }

    [Fact]
    public async Task A_reload_takes_up_the_quotas_of_the_file_and_a_wrong_file_changes_nothing()
    {
        await using var scene = await QuotaScene.BuildAsync();
        await scene.ServeAsync(500);
        scene.Books.FileText = "[[quota]]\nmodel = '*'\nlane = 'zai'\nrolling_tokens = 500";
        Assert.Equal(200, (await ReloadAsync()).Status);
        Assert.Equal(("*", 500L, 500L, true), (scene.Standing.Quota.Pattern, scene.Standing.Rolling!.Used, scene.Standing.Rolling.Cap, scene.Standing.IsFull));

        scene.Books.FileText = "[[quota]]\nmodel = '*'\nlane = 'nowhere'\nrolling_tokens = 5";
        var wrong = await ReloadAsync();
        Assert.Equal(409, wrong.Status);
        Assert.Contains("config.toml:3:8: quota.lane", wrong.Error, StringComparison.Ordinal);
        Assert.Equal("zai", scene.Standing.Quota.Lane);

        scene.Books.FileText = "[[lane]]\nname = 'house'\nbase_url = 'http://127.0.0.1:1'\nheader = 'passthrough'\n[[quota]]\nmodel = '*'\nlane = 'house'\nrolling_tokens = 5";
        Assert.Equal(200, (await ReloadAsync()).Status);
        Assert.Equal(("house", 0L), (scene.Standing.Quota.Lane, scene.Standing.Rolling!.Used));

        Task<Answer> ReloadAsync() => scene.Books.AskAsync("POST", "/v1/quotas/reload");
    }

    [Fact]
    public async Task A_changed_file_brings_its_quotas_with_it()
    {
        await using var scene = await QuotaScene.BuildAsync();
        await scene.ServeAsync(500);
        scene.Books.FileText = "[[quota]]\nmodel = '*'\nlane = 'zai'\nrolling_tokens = 700";
        scene.Books.Board.Config.Reload("a test");
        await Store.Waiting.UntilAsync(() => scene.Standing.Quota.RollingTokens == 700);
        Assert.Equal(500, scene.Standing.Rolling!.Used);
    }

    [Fact]
    public async Task Without_a_server_there_is_nothing_to_reload()
    {
        await using var books = TillUnderTest.WithConfig();
        using var board = new Switchboard(books.Till, DataDirectory.At(books.Home), TrustedRoots.Find(null, null, null), books.License);
        using var api = new AdminApi(books.Till, books.License, board);
        var answer = await api.HandleAsync(new AdminRequest("POST", "/v1/quotas/reload", new Dictionary<string, string>(), default, new AdminActor(null, IsHostOperator: true)));
        Assert.Equal(409, answer.Status);
    }

    [Fact]
    public async Task Quotas_are_shown_with_their_flags()
    {
        await using var scene = await QuotaScene.BuildAsync("warn_at = 'auto'\nweekly_tokens = 4000");
        await scene.ServeAsync(1_000);
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, null);
        Assert.Equal(
            """{"quotas":[{"model":"claude-haiku-*","lane":"zai","reroute":"hybrid","rolling":{"window":"5h","used":1000,"cap":1000,"percent":100,"freesAt":"2026-11-22T17:00:16.328+00:00"},"weekly":{"window":"7d","used":1000,"cap":4000,"percent":25.0},"warnAt":0.8,"learned":{"inForce":false,"samples":1,"confidence":0},"warned":true,"blocked":true,"cooldownUntil":"2026-11-22T12:05:00+00:00","inFlight":0}]}""",
            (await scene.Books.AskAsync("GET", "/v1/quotas")).Text.Replace("\\u002B", "+", StringComparison.Ordinal));
    }
}
