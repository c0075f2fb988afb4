using Ccp.Quotas;
using Ccp.Refusals;

namespace Ccp.Tests.Quotas;

/// <summary>The table of quotas: how much is used, whether the lane has said 429, and where a call then goes.</summary>
public sealed class QuotaModeTests
{
    [Theory]
    [InlineData("hybrid", 799, false, "zai/route", "zai/route")]
    [InlineData("hybrid", 800, false, "zai/quota_warn_attempt", "zai/quota_warn_attempt")]
    [InlineData("hybrid", 999, false, "zai/quota_warn_attempt", "zai/quota_warn_attempt")]
    [InlineData("hybrid", 1000, false, "anthropic/quota_block", "429")]
    [InlineData("hybrid", 0, true, "anthropic/quota_cooldown", "zai/route")]
    [InlineData("hybrid", 800, true, "anthropic/quota_cooldown", "zai/route")]
    [InlineData("hybrid", 1000, true, "anthropic/quota_block", "429")]
    [InlineData("run_to_cap", 999, false, "zai/route", "zai/route")]
    [InlineData("run_to_cap", 999, true, "zai/route", "zai/route")]
    [InlineData("run_to_cap", 1000, false, "anthropic/quota_block", "429")]
    [InlineData("preemptive", 799, false, "zai/route", "zai/route")]
    [InlineData("preemptive", 800, false, "anthropic/quota_preemptive_warn", "zai/quota_warn_attempt")]
    [InlineData("preemptive", 0, true, "anthropic/quota_cooldown", "zai/route")]
    [InlineData("preemptive", 1000, false, "anthropic/quota_block", "429")]
    public async Task Each_mode_sends_a_call_where_it_says_before_and_after_a_restart(string mode, long used, bool tooMany, string withFallback, string without)
    {
        await using var scene = await QuotaScene.BuildAsync($"reroute = '{mode}'");
        await scene.ServeAsync(used);
        if (tooMany)
        {
            scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, retryAfter: null);
            await scene.WrittenAsync();
        }

        Assert.Equal((withFallback, without), (scene.Goes(), scene.Goes(hasFallback: false)));
        await scene.RestartAsync();
        Assert.Equal((withFallback, without), (scene.Goes(), scene.Goes(hasFallback: false)));
    }

    [Theory]
    [InlineData(null, 300)]
    [InlineData(30, 30)]
    [InlineData(7200, 7200)]
    public async Task A_cooldown_lasts_as_long_as_the_lane_asks_else_as_the_quota_says(int? retryAfter, int seconds)
    {
        await using var scene = await QuotaScene.BuildAsync();
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, retryAfter is { } asked ? TimeSpan.FromSeconds(asked) : null);
        await scene.WrittenAsync();

        scene.Books.Clock.Advance(TimeSpan.FromSeconds(seconds - 1));
        await scene.RestartAsync();
        Assert.Equal("anthropic/quota_cooldown", scene.Goes());
        scene.Books.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("zai/route", scene.Goes());
    }

    [Fact]
    public async Task Another_429_in_a_cooldown_makes_it_longer_and_not_shorter_and_is_no_other_sample()
    {
        await using var scene = await QuotaScene.BuildAsync("warn_at = 'auto'");
        await scene.ServeAsync(600);
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, TimeSpan.FromSeconds(100));
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, TimeSpan.FromSeconds(200));
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, TimeSpan.FromSeconds(50));
        await scene.WrittenAsync();
        var until = scene.Books.Clock.GetUtcNow() + TimeSpan.FromSeconds(200);
        Assert.Equal((until, 1), (scene.Standing.CooldownUntil, scene.Standing.Warning.Samples));
        await scene.RestartAsync();
        Assert.Equal((until, 1), (scene.Standing.CooldownUntil, scene.Standing.Warning.Samples));
    }

    [Fact]
    public async Task The_wait_that_is_told_is_the_wait_there_is()
    {
        await using var scene = await QuotaScene.BuildAsync();
        await scene.ServeAsync(600);
        scene.Books.Clock.Advance(TimeSpan.FromHours(1));
        await scene.ServeAsync(600);
        scene.Books.Clock.Advance(TimeSpan.FromHours(1));

        Assert.False(scene.Decide(hasFallback: false).Allows(out _, out var refusal));
        var wait = refusal.Wait!.Value;

        // The first 600 leave after five hours, two of which are over.
        Assert.InRange(wait, TimeSpan.FromHours(3), TimeSpan.FromHours(3) + TimeSpan.FromSeconds(18));
        Assert.Equal((429, false), (RefusalMap.ToWire(refusal).Status, RefusalMap.ToWire(refusal).ClientMayRetry));
        Assert.Contains("the 1000 tokens in 5h", refusal.Message, StringComparison.Ordinal);
        scene.Books.Clock.Advance(wait - TimeSpan.FromMilliseconds(1));
        Assert.Equal("429", scene.Goes(hasFallback: false));
        scene.Books.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("zai/route", scene.Goes(hasFallback: false));
    }

    [Fact]
    public async Task Where_both_windows_are_full_the_longer_wait_counts()
    {
        await using var scene = await QuotaScene.BuildAsync("weekly_tokens = 1500");
        await scene.ServeAsync(1_500);
        Assert.False(scene.Decide(hasFallback: false).Allows(out _, out var refusal));
        Assert.InRange(refusal.Wait!.Value, TimeSpan.FromDays(7), TimeSpan.FromDays(7) + TimeSpan.FromMinutes(10));
        Assert.Contains("1500 tokens in 7d", refusal.Message, StringComparison.Ordinal);
        scene.Books.Clock.Advance(TimeSpan.FromHours(6));
        Assert.Equal((0L, 1_500L), (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));
        Assert.Equal("anthropic/quota_block", scene.Goes());
        await scene.RestartAsync();
        Assert.Equal((0L, 1_500L), (scene.Standing.Rolling!.Used, scene.Standing.Weekly!.Used));
    }

    [Fact]
    public async Task A_quota_that_is_used_up_on_both_lanes_refuses_until_the_first_has_room()
    {
        await using var scene = await QuotaScene.BuildAsync("[[quota]]\nmodel = '*'\nlane = 'anthropic'\nrolling = '1h'\nrolling_tokens = 10");
        await scene.ServeAsync(1_000);
        await scene.ServeAsync(10, lane: "anthropic");

        Assert.False(scene.Decide().Allows(out _, out var refusal));
        Assert.InRange(refusal.Wait!.Value, TimeSpan.FromHours(1), TimeSpan.FromHours(1) + TimeSpan.FromSeconds(5));
        Assert.Contains("anthropic lane", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("zai", "anthropic")]
    [InlineData("anthropic", "zai")]
    public async Task Of_a_quota_that_is_used_up_and_a_lane_that_is_soon_back_the_shorter_wait_is_told(string full, string down)
    {
        await using var scene = await QuotaScene.BuildAsync("[[quota]]\nmodel = '*'\nlane = 'anthropic'\nrolling_tokens = 10");
        await scene.ServeAsync(1_000, lane: full);

        Assert.False(scene.Decide(down: down).Allows(out _, out var refusal));
        Assert.Equal((RefusalCode.LaneDownBriefly, TimeSpan.FromSeconds(1)), (refusal.Code, refusal.Wait));
    }

    [Fact]
    public async Task Where_no_fallback_is_named_a_quota_that_is_used_up_asks_no_other_lane_how_it_is()
    {
        await using var scene = await QuotaScene.BuildAsync();
        await scene.ServeAsync(1_000);

        Assert.False(scene.Decide(hasFallback: false, down: "anthropic").Allows(out _, out var refusal));
        Assert.Equal(RefusalCode.QuotaReached, refusal.Code);
    }

    [Fact]
    public async Task A_fallback_that_has_no_room_is_no_place_to_go_after_a_warning_or_a_failure()
    {
        await using var scene = await QuotaScene.BuildAsync("reroute = 'preemptive'\n[[quota]]\nmodel = '*'\nlane = 'anthropic'\nrolling_tokens = 10");
        await scene.ServeAsync(900);
        await scene.ServeAsync(10, lane: "anthropic");
        Assert.True(scene.Decide().Allows(out var plan, out _));
        Assert.Equal(("zai", "quota_warn_attempt", null), (plan.Lane.Name, plan.Reason, plan.Fallback));
    }

    [Fact]
    public async Task A_lane_that_is_left_says_so_among_the_rejected()
    {
        await using var scene = await QuotaScene.BuildAsync("reroute = 'preemptive'");
        await scene.ServeAsync(900);
        Assert.True(scene.Decide().Allows(out var plan, out _));
        Assert.Equal("zai: quota_preemptive_warn", string.Join(',', plan.Rejected.Select(no => $"{no.Lane}: {no.Reason}")));
    }

    [Fact]
    public async Task What_costs_nothing_is_not_held_back()
    {
        await using var scene = await QuotaScene.BuildAsync();
        await scene.ServeAsync(1_000);
        Assert.True(scene.Decide(isCharged: false).Allows(out var plan, out _));
        Assert.Equal(("zai", "route"), (plan.Lane.Name, plan.Reason));
    }

    [Fact]
    public async Task Other_models_and_other_lanes_do_not_count()
    {
        await using var scene = await QuotaScene.BuildAsync();
        await scene.ServeAsync(1_000, lane: "anthropic");
        await scene.ServeAsync(1_000, model: "claude-opus-5-5");
        scene.Quotas.NoteTooMany("zai", "claude-opus-5-5", null);
        scene.Quotas.NoteTooMany("anthropic", QuotaScene.Haiku, null);
        await scene.WrittenAsync();
        Assert.Equal((0L, null), (scene.Standing.Rolling!.Used, scene.Standing.CooldownUntil));
        await scene.RestartAsync();
        Assert.Equal((0L, null), (scene.Standing.Rolling!.Used, scene.Standing.CooldownUntil));
    }

    [Fact]
    public async Task A_learned_threshold_survives_a_restart_and_decides()
    {
        await using var scene = await QuotaScene.BuildAsync("warn_at = 'auto'\nreroute = 'preemptive'");
        for (var time = 0; time < 3; time++)
        {
            await scene.ServeAsync(600);
            scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, null);
            scene.Books.Clock.Advance(TimeSpan.FromHours(6));
        }

        await scene.WrittenAsync();
        var learned = new WarnThreshold(0.54m, IsLearned: true, 3, 0.3m);
        Assert.Equal(learned, scene.Standing.Warning);
        await scene.RestartAsync();
        Assert.Equal(learned, scene.Standing.Warning);
        await scene.ServeAsync(539);
        Assert.Equal("zai/route", scene.Goes());
        await scene.ServeAsync(1);
        Assert.Equal("anthropic/quota_preemptive_warn", scene.Goes());
    }
}
