using System.Text.Json;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Metering;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Telemetry;
using Ccp.Tests.Configuration;
using Ccp.Tests.Identity;
using Ccp.Usage;

namespace Ccp.Tests.Usage;

public sealed class UsageLineTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, 250, TimeSpan.Zero);

    [Fact]
    public void A_decision_is_written_before_the_call_is_sent()
    {
        var json = Decision(Call());
        Assert.Equal(
            """{"ts":1795348800.25,"rid":"req_1","status":-1,"user":"alice","lane":"anthropic","upstream":"anth","model":"claude-opus-5-5","op":"stream","session":"s","agent":"g","event":"decision","decision":"anthropic","decision_reason":"default"}""",
            json.GetRawText());
    }

    [Fact]
    public void A_call_that_went_well_says_all_it_used_and_cost()
    {
        var call = Call();
        var usage = MeteredUsage.Of(new TokenUsage(10, 3, 4, 20, 30));
        call.Result = new ForwardResult(200, RelayEnd.Complete, null, new MeterReading(usage, ReadingQuality.Exact, "m", true))
        {
            TimeToFirstByte = TimeSpan.FromMilliseconds(200),
            UsedHttp2 = true,
        };
        call.Owed = usage;
        call.Charge = new Charge(new NanoUsd(1_234_567_891), new NanoUsd(2_469_135_782), "m");
        call.Elapsed = TimeSpan.FromMilliseconds(1_500.7);
        Assert.Equal(
            """{"ts":1795348800.25,"rid":"req_1","status":200,"user":"alice","lane":"anthropic","upstream":"anth","model":"claude-opus-5-5","op":"stream","session":"s","agent":"g","reason":"streaming","latency_ms":1500,"ttft_ms":200,"stream_ms":1300,"retry":0,"h2":true,"input_tokens":10,"output_tokens":30,"cache_read_tokens":20,"cache_write_tokens":7,"estimated":false,"cost_usd":1.234567891,"charge_usd":2.469135782}""",
            Completion(call).GetRawText());
    }

    [Fact]
    public void Who_is_not_charged_is_shown_a_cost_and_a_charge_of_zero()
    {
        var call = Call();
        call.User = call.User! with { IsBilled = false };
        call.Owed = MeteredUsage.Of(new TokenUsage { Input = 1 });
        call.Charge = new Charge(new NanoUsd(5), new NanoUsd(10), "m");
        call.IsEstimated = true;
        var json = Completion(call);
        Assert.Equal(0m, json.GetProperty("charge_usd").GetDecimal());
        Assert.Equal(0.000000005m, json.GetProperty("cost_usd").GetDecimal());
        Assert.True(json.GetProperty("estimated").GetBoolean());
    }

    [Theory]
    [InlineData(200, "Complete", null, "streaming", null)]
    [InlineData(200, "ClientLeft", null, "client_left", null)]
    [InlineData(200, "UpstreamCut", null, "upstream_cut", "net")]
    [InlineData(200, "UpstreamStalled", null, "upstream_stalled", "timeout")]
    [InlineData(200, "OutOfCredit", null, "out_of_credit", null)]
    [InlineData(200, "ShutDown", null, "shutdown", null)]
    [InlineData(200, "OutOfCredit", "InsufficientCredit", "out_of_credit", "4xx")]
    [InlineData(200, "SpendLimit", "DaySpendReached", "spend_limit", "4xx")]
    [InlineData(200, "ShutDown", "ShuttingDown", "shutdown", "5xx")]
    [InlineData(0, "OutOfCredit", "InsufficientCredit", "insufficient_credit", "4xx")]
    [InlineData(400, "Complete", null, "upstream_error", "4xx")]
    [InlineData(401, "Complete", null, "upstream_error", "401")]
    [InlineData(429, "Complete", null, "upstream_error", "429")]
    [InlineData(529, "Complete", null, "upstream_error", "5xx")]
    [InlineData(0, "UpstreamCut", "LaneUnreachable", "lane_unreachable", "net")]
    [InlineData(0, "TimedOut", "LaneTimedOut", "lane_timed_out", "timeout")]
    [InlineData(null, null, "InsufficientCredit", "insufficient_credit", "4xx")]
    [InlineData(null, null, "FundsSpokenFor", "funds_spoken_for", "429")]
    [InlineData(200, "SpendLimit", null, "spend_limit", null)]
    [InlineData(null, null, "ConcurrencyReached", "concurrency_reached", "429")]
    [InlineData(null, null, "RequestRateReached", "request_rate_reached", "429")]
    [InlineData(null, null, "TokenRateReached", "token_rate_reached", "429")]
    [InlineData(null, null, "DaySpendReached", "day_spend_reached", "4xx")]
    [InlineData(null, null, "MonthSpendReached", "month_spend_reached", "4xx")]
    [InlineData(null, null, "SpendSpokenFor", "spend_spoken_for", "429")]
    [InlineData(null, null, "ModelNotAllowed", "model_not_allowed", "4xx")]
    [InlineData(null, null, "AddressNotAllowed", "address_not_allowed", "4xx")]
    [InlineData(null, null, "UserExpired", "user_expired", "4xx")]
    [InlineData(null, null, "TokenUnknown", "token_unknown", "401")]
    [InlineData(null, null, null, "internal_error", null)]
    public void The_reason_and_the_kind_of_error_say_how_it_went(int? status, string? end, string? refusal, string reason, string? errorType)
    {
        var call = Call();
        call.Refusal = refusal is null ? null : new Refusal(Enum.Parse<RefusalCode>(refusal), "why");
        call.Result = status is { } number ? new ForwardResult(number, Enum.Parse<RelayEnd>(end!), call.Refusal, MeterReading.NotStarted) : null;
        var json = Completion(call);

        Assert.Equal(reason, json.GetProperty("reason").GetString());
        Assert.Equal(errorType, json.TryGetProperty("err_type", out var type) ? type.GetString() : null);
        Assert.Equal(call.Refusal is { } no ? RefusalMap.ToWire(no.Code).Status : status ?? 0, json.GetProperty("status").GetInt32());
    }

    [Theory]
    [InlineData("Exact", false, "streaming")]
    [InlineData("Estimated", true, "no_final_usage")]
    [InlineData("Suspect", true, "suspect")]
    // It costs nothing, so nothing of it is estimated.
    [InlineData("Estimated", false, "streaming")]
    public void An_answer_that_went_through_and_is_an_estimate_all_the_same_says_why(string quality, bool isEstimated, string reason)
    {
        var call = Call();
        call.Result = new ForwardResult(200, RelayEnd.Complete, null, MeterReading.NotStarted with { Quality = Enum.Parse<ReadingQuality>(quality) });
        call.IsEstimated = isEstimated;
        Assert.Equal(reason, Completion(call).GetProperty("reason").GetString());
    }

    [Fact]
    public void What_recovery_has_charged_is_said_as_its_hold_has_it()
    {
        var hold = new HoldRow(
            "req_1", 1, Now, new NanoUsd(9), new NanoUsd(1_234_567_891), new NanoUsd(2_469_135_782), new TokenUsage(10, 4, 3, 20, 30), 1, "claude-opus-5-5", "anthropic", true, "s", "g", "{}");
        Assert.Equal(
            """{"ts":1795348800.25,"rid":"req_1","status":200,"user":"alice","lane":"anthropic","upstream":"anth","model":"claude-opus-5-5","op":"stream","session":"s","agent":"g","reason":"crash","input_tokens":10,"output_tokens":30,"cache_read_tokens":20,"cache_write_tokens":7,"estimated":true,"cost_usd":1.234567891,"charge_usd":2.469135782}""",
            Line(json => UsageLine.WriteRecovered(json, hold, "alice", Now)).GetRawText());
    }

    [Fact]
    public void A_call_of_a_stranger_says_little()
    {
        var call = new CallReport(new RequestId("req_1"), Now) { Refusal = new Refusal(RefusalCode.TokenUnknown, "canary-message") };
        Assert.Equal(
            """{"ts":1795348800.25,"rid":"req_1","status":401,"reason":"token_unknown","latency_ms":0,"err_type":"401","retry":0,"h2":false}""",
            Completion(call).GetRawText());
    }

    [Fact]
    public void No_line_holds_a_secret()
    {
        var call = Call();
        call.User = call.User! with { Token = AccessToken.HashOf("canary-token"), UpstreamKey = new Secret("canary-own") };
        call.Plan = call.Plan! with { Key = new Secret("canary-key") };
        call.Refusal = new Refusal(RefusalCode.UpstreamKeyRefused, "canary-message");
        var text = Decision(call).GetRawText() + Completion(call).GetRawText();
        Assert.DoesNotContain("canary", text, StringComparison.Ordinal);
        Assert.DoesNotContain(call.User.Token.ToString()!, text, StringComparison.Ordinal);
        Assert.DoesNotContain("header_mode", text, StringComparison.Ordinal);
    }

    private static CallReport Call()
    {
        var lane = Configured.Good("").Lanes[0];
        return new CallReport(new RequestId("req_1"), Now)
        {
            User = AccessTokenTests.Someone(1, "alice", "token"),
            Facts = new RequestFacts("claude-opus-5-5", true, 5, 5, null),
            Plan = new LanePlan(lane, new Secret("sk"), false, RouteReason.Default, null),
            Session = "s",
            Agent = "g",
        };
    }

    private static JsonElement Decision(CallReport call) => Line(json => UsageLine.WriteDecision(json, call, Now));

    private static JsonElement Completion(CallReport call) => Line(json => UsageLine.WriteCompletion(json, call, Now));

    private static JsonElement Line(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            write(json);
        }

        using var document = JsonDocument.Parse(bytes.ToArray());
        return document.RootElement.Clone();
    }
}
