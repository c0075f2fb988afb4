using Ccp.Store;
using Ccp.Tests.Quotas;
using Ccp.Usage;

namespace Ccp.Tests.Usage;

public sealed class LaneReportTests
{
    [Fact]
    public async Task Lanes_and_models_are_told_apart_with_their_pace_and_their_troubles()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var clock = scene.Books.Clock;

        // 100 output tokens in 1 s, of which 100 ms pass before the first byte; an hour later 200 in 1 s; one that is not streamed; one that crashed.
        await scene.RecordAsync(scene.NewId(), 400, latencyMs: 1_000, ttftMs: 100);
        clock.Advance(TimeSpan.FromHours(1));
        await scene.RecordAsync(scene.NewId(), 800, latencyMs: 1_000, ttftMs: 500);
        await scene.RecordAsync(scene.NewId(), 400, latencyMs: 2_000, ttftMs: 1_900, isStream: false);
        await scene.RecordAsync(scene.NewId(), 400, latencyMs: 0, ttftMs: null);
        await scene.RecordAsync(scene.NewId(), 40, lane: "anthropic");
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, null);
        scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, null);
        scene.Quotas.NoteFallback("zai", QuotaScene.Haiku);
        await scene.WrittenAsync();

        var lanes = (await scene.Books.AskAsync("GET", "/v1/usage")).Json.GetProperty("lanes").EnumerateArray().Select(lane => lane.GetRawText()).ToList();

        Assert.Equal(
            """{"lane":"zai","model":"claude-haiku-4-5","requests":4,"inputTokens":1000,"outputTokens":500,"cacheReadTokens":4000000,"cacheWriteTokens":500,"tokensPerSecond":214.3,"tokensPerSecondWall":100,"ttftP50Ms":100,"ttftP95Ms":500,"fastestHour":13,"fastestHourTokensPerSecond":400,"tooManyRequests":2,"fallbacks":1}""",
            lanes[1]);
        Assert.Equal(
            """{"lane":"anthropic","model":"claude-haiku-4-5","requests":1,"inputTokens":20,"outputTokens":10,"cacheReadTokens":1000000,"cacheWriteTokens":10,"tokensPerSecond":11.1,"tokensPerSecondWall":10,"ttftP50Ms":100,"ttftP95Ms":100,"fastestHour":13,"fastestHourTokensPerSecond":11.1,"tooManyRequests":0,"fallbacks":0}""",
            lanes[0]);
        Assert.Equal(2, lanes.Count);
    }

    [Fact]
    public void A_percentile_is_the_smallest_that_enough_do_not_exceed()
    {
        var tally = new LaneTally("zai", "m");
        for (var ms = 100; ms >= 1; ms--)
        {
            tally.Add(new TimedCall(DateTimeOffset.UnixEpoch, IsStream: true, LatencyMs: 1_000, TtftMs: ms, default));
        }

        Assert.Equal((50L, 95L), (tally.Sum().TtftP50Ms, tally.Sum().TtftP95Ms));
    }

    [Fact]
    public async Task Only_so_many_calls_are_looked_at_and_the_report_says_since_when()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var began = scene.Books.Clock.GetUtcNow();
        for (var call = 0; call < 5; call++)
        {
            await scene.RecordAsync(scene.NewId(), 40);
            scene.Books.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        using var database = Database.OpenReader(scene.Books.Till.DatabasePath);
        var whole = LaneReport.Read(database, began, callsMax: 5);
        Assert.Equal((true, began, 5L), (whole.IsComplete, whole.From, whole.Lanes.Single().Requests));
        var part = LaneReport.Read(database, began, callsMax: 3);
        Assert.Equal((false, began + TimeSpan.FromMinutes(2), 3L), (part.IsComplete, part.From, part.Lanes.Single().Requests));
    }
}
