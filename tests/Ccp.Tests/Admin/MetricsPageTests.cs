using System.Text.Json;
using Ccp.Routing;
using Ccp.Telemetry;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

public sealed class MetricsPageTests
{
    [Fact]
    public async Task How_everything_stands_is_read_when_asked()
    {
        await using var till = TillUnderTest.WithConfig();

        var metrics = await AskAsync(till);

        Assert.Equal(1, metrics[$"ccp_build_info{{version=\"{Product.Version}\"}}"]);
        Assert.Equal((1, 0), (metrics["ccp_store_writable"], metrics["ccp_write_queue_length"]));
        Assert.Equal(till.Clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000m, metrics["process_start_time_seconds"]);
        Assert.True(metrics["process_resident_memory_bytes"] > 1024 * 1024, metrics.Text);
        Assert.True(metrics["process_open_fds"] > 3, metrics.Text);
        Assert.Equal(["{lane=\"anthropic\"}", "{lane=\"zai\"}"], metrics.Family("ccp_lane_circuit_open").Keys);
        Assert.All(metrics.Family("ccp_lane_circuit_open").Values, isOpen => Assert.Equal(0, isOpen));

        // Where there is nothing to say there is no family.
        Assert.DoesNotContain("ccp_quota", metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("ccp_license", metrics.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lane_that_failed_is_open_until_it_answers_again()
    {
        await using var till = TillUnderTest.WithConfig();
        var circuit = till.Board.Circuits.Of(till.Till.Config.Lanes.Single(lane => lane.Name == "zai"));
        for (var failure = 0; failure < LaneCircuit.FailuresMax; failure++)
        {
            circuit.Failed(probe: 0, "made up");
        }

        Assert.Equal(1, (await AskAsync(till))["ccp_lane_circuit_open{lane=\"zai\"}"]);
        till.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, (await AskAsync(till))["ccp_lane_circuit_open{lane=\"zai\"}"]);
        circuit.Answered();
        Assert.Equal(0, (await AskAsync(till))["ccp_lane_circuit_open{lane=\"zai\"}"]);
    }

    [Fact]
    public async Task A_quota_is_shown_by_its_windows()
    {
        await using var till = TillUnderTest.WithConfig("""
            [[quota]]
            model = "claude-haiku-*"
            lane = "zai"
            rolling_tokens = 3000
            weekly_tokens = 10000
            """);
        void Use(string id, long tokens) => till.Till.Quotas.Open(id, "zai", "claude-haiku-4-5", till.Clock.GetUtcNow()).Close(new Ccp.Pricing.TokenUsage(tokens, 0, 0, 0, 100));

        Use("req_1", 900);
        var metrics = await AskAsync(till);
        Use("req_2", 1_400);
        var warned = await AskAsync(till);
        Use("req_3", 400);
        var blocked = await AskAsync(till);

        Assert.Equal(0.333333m, metrics["ccp_quota_used_ratio{lane=\"zai\",model=\"claude-haiku-*\",window=\"rolling\"}"]);
        Assert.Equal(0.1m, metrics["ccp_quota_used_ratio{lane=\"zai\",model=\"claude-haiku-*\",window=\"weekly\"}"]);
        const string Labels = "{lane=\"zai\",model=\"claude-haiku-*\"}";
        Assert.Equal(
            [(0m, 0m), (1m, 0m), (1m, 1m)],
            new[] { metrics, warned, blocked }.Select(page => (page[$"ccp_quota_warned{Labels}"], page[$"ccp_quota_blocked{Labels}"])));
        Assert.Equal(("gauge", "gauge"), (metrics.Types["ccp_quota_warned"], metrics.Types["ccp_quota_blocked"]));
    }

    [Fact]
    public async Task A_license_is_shown_while_it_is_in_force()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AskAsync("POST", "/admin/license", $"{{\"pack\":\"{JsonEncodedText.Encode(IssuedLicense.Pack(till.Clock.GetUtcNow(), days: 3))}\"}}");
        var with = await AskAsync(till);
        till.Clock.Advance(TimeSpan.FromDays(3));
        var after = await AskAsync(till);

        Assert.Equal(1, with["ccp_license_features{feature=\"zai_offload\"}"]);
        Assert.Equal((till.Clock.GetUtcNow()).ToUnixTimeSeconds(), with["ccp_license_expires_timestamp_seconds"]);
        Assert.DoesNotContain("ccp_license", after.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_takes_no_writes_is_said()
    {
        await using var till = TillUnderTest.WithConfig();
        _ = till.Till.Writes.MustWriteAsync(_ => throw new InvalidOperationException("broken"));
        while (till.Till.Writes.Problem is null)
        {
            await Task.Yield();
        }

        var metrics = await AskAsync(till);

        Assert.Equal((0, 1), (metrics["ccp_store_writable"], metrics["ccp_write_queue_length"]));
    }

    private static async Task<MetricsText> AskAsync(TillUnderTest till)
    {
        var answer = await till.AskAsync("GET", "/metrics");
        Assert.Equal(200, answer.Status);
        return new MetricsText(answer.Text);
    }
}
