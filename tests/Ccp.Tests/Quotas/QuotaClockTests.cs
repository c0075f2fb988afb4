using Ccp.Tests.Store;

namespace Ccp.Tests.Quotas;

/// <summary>Goal: a clock that was wrong for a while opens no quota and shuts no lane once it is right again.</summary>
public sealed class QuotaClockTests
{
    public static TheoryData<TimeSpan> Jumps => [TimeSpan.FromMinutes(10), TimeSpan.FromHours(3), TimeSpan.FromHours(6), TimeSpan.FromDays(365)];

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task What_was_used_before_and_while_the_clock_was_ahead_counts_when_it_is_set_back(TimeSpan ahead)
    {
        await using var scene = await QuotaScene.BuildAsync("weekly_tokens = 5000");
        await scene.ServeAsync(300);
        var right = scene.Books.Clock.GetUtcNow();
        scene.Books.Clock.JumpTo(right + ahead);
        await scene.ServeAsync(200);

        // One that runs on through the change.
        var id = scene.NewId();
        var running = scene.Open(id);
        running.Note(QuotaScene.Used(40));
        scene.Books.Clock.JumpTo(right + TimeSpan.FromSeconds(5));

        // Counted at once, also before the store was asked for what had left the window meanwhile.
        running.Note(QuotaScene.Used(90));
        Assert.InRange(scene.Standing.Rolling!.Used, 290, 590);
        await Waiting.UntilAsync(() => scene.Standing is { Rolling.Used: 590, Weekly.Used: 590 });
        await scene.RecordAsync(id, 100, at: running.At);
        running.Close(QuotaScene.Used(100));
        await scene.ServeAsync(400);
        Assert.Equal((1_000L, 1_000L, true), (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used, scene.Standing.IsFull));
        await scene.Quotas.ReloadAsync(scene.Books.Till.Config.Quotas);
        Assert.Equal((1_000L, 1_000L), (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));

        // The correction is one: from here on time goes by as ever.
        scene.Books.Clock.Advance(TimeSpan.FromHours(5) + TimeSpan.FromSeconds(19));
        Assert.Equal(0, scene.Standing.Rolling!.Used);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task What_a_clock_that_was_ahead_has_dated_counts_for_one_window_however_often_it_is_counted_anew(TimeSpan ahead)
    {
        await using var scene = await QuotaScene.BuildAsync("weekly_tokens = 5000");
        var right = scene.Books.Clock.GetUtcNow();
        scene.Books.Clock.JumpTo(right + ahead);
        await scene.ServeAsync(200);
        var dated = Dates(scene);
        scene.Books.Clock.JumpTo(right);
        await scene.RestartAsync();
        Assert.Equal((200L, 200L), (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));

        scene.Books.Clock.Advance(TimeSpan.FromHours(5) + TimeSpan.FromSeconds(19));
        await scene.RestartAsync();
        Assert.Equal((0L, 200L), (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));
        await scene.Quotas.ReloadAsync(scene.Books.Till.Config.Quotas);
        Assert.Equal((0L, 200L), (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));

        scene.Books.Clock.Advance(TimeSpan.FromDays(7));
        await scene.Quotas.ReloadAsync(scene.Books.Till.Config.Quotas);
        Assert.Equal((0L, 0L), (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));

        // Its receipt says what was written down.
        Assert.Equal(dated, Dates(scene));
    }

    [Fact]
    public async Task A_429_that_came_while_the_clock_was_ahead_keeps_nothing_away_also_after_a_restart_and_the_one_before_does()
    {
        await using var scene = await QuotaScene.BuildAsync("warn_at = 'auto'");
        await scene.ServeAsync(600);
        var right = scene.Books.Clock.GetUtcNow();
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, TimeSpan.FromMinutes(30));
        scene.Books.Clock.JumpTo(right + TimeSpan.FromDays(365));
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, TimeSpan.FromDays(2));
        scene.Books.Clock.JumpTo(right + TimeSpan.FromMinutes(1));

        Assert.True(scene.Standing.CooldownUntil is null || scene.Standing.CooldownUntil == right + TimeSpan.FromMinutes(30), $"{scene.Standing.CooldownUntil}");
        await Waiting.UntilAsync(() => scene.Standing.CooldownUntil == right + TimeSpan.FromMinutes(30));
        await scene.RestartAsync();
        Assert.Equal(right + TimeSpan.FromMinutes(30), scene.Standing.CooldownUntil);
        scene.Books.Clock.Advance(TimeSpan.FromMinutes(30));
        Assert.Null(scene.Standing.CooldownUntil);
    }

    [Fact]
    public async Task A_call_that_began_long_ago_is_no_change_of_the_clock()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var began = scene.Books.Clock.GetUtcNow();
        scene.Books.Clock.Advance(TimeSpan.FromHours(1));
        await scene.ServeAsync(500);

        // Its body took an hour to arrive; it is routed as of when it began.
        Assert.Equal(500, Assert.Single(scene.Quotas.At(began)).Rolling!.Used);
        scene.Books.Clock.Advance(TimeSpan.FromHours(5) - TimeSpan.FromMinutes(1));
        Assert.Equal(500, scene.Standing.Rolling!.Used);
    }

    [Fact]
    public async Task A_call_that_began_while_the_clock_was_ahead_does_not_take_the_windows_there_again()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var right = scene.Books.Clock.GetUtcNow();
        await scene.ServeAsync(500);
        scene.Books.Clock.JumpTo(right + TimeSpan.FromHours(6));
        var began = scene.Books.Clock.GetUtcNow();
        _ = scene.Standing;
        scene.Books.Clock.JumpTo(right);
        await Waiting.UntilAsync(() => scene.Standing.Rolling!.Used == 500);

        Assert.Equal(500, Assert.Single(scene.Quotas.At(began)).Rolling!.Used);
        await scene.ServeAsync(200);
        Assert.Equal(700, scene.Standing.Rolling!.Used);
    }

    private static List<long> Dates(QuotaScene scene)
    {
        using var reader = Ccp.Store.Database.OpenReader(scene.Books.Till.DatabasePath);
        return reader.Query("SELECT at_ms FROM request ORDER BY at_ms", row => row.GetInt64(0));
    }
}
