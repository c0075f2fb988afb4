using System.Text.Json;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Forwarding;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Usage;

/// <summary>The lines that a call leaves in the usage log: where it was sent, and what became of it. Never a body, a key or a token.</summary>
internal static class UsageLine
{
    /// <summary>Written before the upstream is dialled: status −1, event <c>decision</c>.</summary>
    public static void WriteDecision(Utf8JsonWriter json, CallReport call, DateTimeOffset at)
    {
        Begin(json, HeadOf(call, status: -1), at);
        json.WriteString("event"u8, "decision"u8);
        json.WriteString("decision"u8, call.Plan!.Lane.Name);
        json.WriteString("decision_reason"u8, call.Plan.Reason);
        if (call.Plan.ChosenBy != call.Plan.Reason)
        {
            json.WriteString("chosen_by"u8, call.Plan.ChosenBy);
        }

        if (call.Plan.Rejected.Count > 0)
        {
            json.WriteStartArray("rejected"u8);
            foreach (var (lane, reason) in call.Plan.Rejected)
            {
                json.WriteStartObject();
                json.WriteString("lane"u8, lane);
                json.WriteString("reason"u8, reason);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    public static void WriteCompletion(Utf8JsonWriter json, CallReport call, DateTimeOffset at)
    {
        Begin(json, HeadOf(call, call.Status), at);
        json.WriteString("reason"u8, call.Reason);
        json.WriteNumber("latency_ms"u8, (long)call.Elapsed.TotalMilliseconds);
        if (call.Result?.TimeToFirstByte is { } firstByte)
        {
            json.WriteNumber("ttft_ms"u8, (long)firstByte.TotalMilliseconds);
            json.WriteNumber("stream_ms"u8, (long)Math.Max(0, (call.Elapsed - firstByte).TotalMilliseconds));
        }

        if (ErrorType(call) is { } errorType)
        {
            json.WriteString("err_type"u8, errorType);
        }

        json.WriteNumber("retry"u8, call.Retries);
        if (call.Fallback is { } fallback)
        {
            json.WriteString("fallback"u8, fallback.Cause.ToReason());
            json.WriteString("fallback_from"u8, fallback.From);
            json.WriteNumber("wasted_retry_ms"u8, (long)fallback.Wasted.TotalMilliseconds);
        }

        if (call is { Plan: { } plan, Result: not null } && plan.Lane.Name != BuiltInLanes.Anthropic)
        {
            json.WriteString("header_mode"u8, call.Form switch { LaneHeader.Authorization => "authorization", LaneHeader.Passthrough => "passthrough", _ => "x-api-key" });
        }

        json.WriteBoolean("h2"u8, call.Result?.UsedHttp2 ?? false);
        if (call.Owed is { } owed)
        {
            WriteTokens(json, owed.Tokens, call.IsEstimated);
        }

        if (call.Charge is { } charge)
        {
            WriteMoney(json, charge.Cost, call.User!.IsCharged ? charge.Amount : NanoUsd.Zero);
        }

        json.WriteEndObject();
    }

    /// <summary>Of a call that went down with ccp, once it is charged: what its hold says is all that is known.</summary>
    /// <param name="user">The name of the hold's user.</param>
    public static void WriteRecovered(Utf8JsonWriter json, HoldRow hold, string? user, DateTimeOffset at)
    {
        Begin(json, new Head(hold.RequestId, Status: 200, user, hold.Lane, hold.Model, hold.IsStream, hold.Session, hold.Agent), at);
        json.WriteString("reason"u8, HoldRecovery.CrashReason);
        WriteTokens(json, hold.Tokens, isEstimated: hold.Final is not { IsExact: true });
        WriteMoney(json, hold.Cost, hold.Charge);
        json.WriteEndObject();
    }

    private static Head HeadOf(CallReport call, int status) =>
        new(call.Id.Value, status, call.User?.Name, call.Plan?.Lane.Name, call.Facts?.Model, call.Facts?.IsStream == true, call.Session, call.Agent);

    private static void Begin(Utf8JsonWriter json, in Head head, DateTimeOffset at)
    {
        json.WriteStartObject();
        json.WriteNumber("ts"u8, at.ToUnixTimeMilliseconds() / 1000m);
        json.WriteString("rid"u8, head.Id);
        json.WriteNumber("status"u8, head.Status);
        WriteIfKnown(json, "user"u8, head.User);
        WriteIfKnown(json, "lane"u8, head.Lane);
        WriteIfKnown(json, "upstream"u8, head.Lane == BuiltInLanes.Anthropic ? "anth" : head.Lane);
        if (head.Model is { } model)
        {
            json.WriteString("model"u8, model);
            json.WriteString("op"u8, head.IsStream ? "stream"u8 : "nonstream"u8);
        }

        WriteIfKnown(json, "session"u8, head.Session);
        WriteIfKnown(json, "agent"u8, head.Agent);
    }

    private static void WriteIfKnown(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void WriteTokens(Utf8JsonWriter json, in TokenUsage tokens, bool isEstimated)
    {
        json.WriteNumber("input_tokens"u8, tokens.Input);
        json.WriteNumber("output_tokens"u8, tokens.Output);
        json.WriteNumber("cache_read_tokens"u8, tokens.CacheRead);
        json.WriteNumber("cache_write_tokens"u8, tokens.CacheWrite);
        json.WriteBoolean("estimated"u8, isEstimated);
    }

    private static void WriteMoney(Utf8JsonWriter json, NanoUsd cost, NanoUsd charge)
    {
        json.WriteNumber("cost_usd"u8, cost.ToUsd());
        json.WriteNumber("charge_usd"u8, charge.ToUsd());
    }

    private static string? ErrorType(CallReport call) => call switch
    {
        { Refusal.Code: RefusalCode.LaneUnreachable } => "net",
        { Refusal.Code: RefusalCode.LaneTimedOut } => "timeout",
        { Result: { IsSuccess: true, End: RelayEnd.UpstreamCut } } => "net",
        { Result: { IsSuccess: true, End: RelayEnd.UpstreamStalled } } => "timeout",
        { Status: 401 } => "401",
        { Status: 429 } => "429",
        { Status: >= 400 and < 500 } => "4xx",
        { Status: >= 500 } => "5xx",
        _ => null,
    };

    /// <summary>What every line begins with; null where it is not known.</summary>
    private readonly record struct Head(string Id, int Status, string? User, string? Lane, string? Model, bool IsStream, string? Session, string? Agent);
}
