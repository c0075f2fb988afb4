using System.Text.Json;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Forwarding;
using Ccp.Refusals;

namespace Ccp.Usage;

/// <summary>The two lines that a call leaves in the usage log: where it was sent, and what became of it. Never a body, a key or a token.</summary>
internal static class UsageLine
{
    /// <summary>Written before the upstream is dialled: status −1, event <c>decision</c>.</summary>
    public static void WriteDecision(Utf8JsonWriter json, CallReport call, DateTimeOffset at)
    {
        Begin(json, call, at, status: -1);
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
        Begin(json, call, at, call.Status);
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
            json.WriteNumber("input_tokens"u8, owed.Tokens.Input);
            json.WriteNumber("output_tokens"u8, owed.Tokens.Output);
            json.WriteNumber("cache_read_tokens"u8, owed.Tokens.CacheRead);
            json.WriteNumber("cache_write_tokens"u8, owed.Tokens.CacheWrite);
            json.WriteBoolean("estimated"u8, call.IsEstimated);
        }

        if (call.Charge is { } charge)
        {
            json.WriteNumber("cost_usd"u8, charge.Cost.ToUsd());
            json.WriteNumber("charge_usd"u8, call.User!.IsCharged ? charge.Amount.ToUsd() : 0m);
        }

        json.WriteEndObject();
    }

    private static void Begin(Utf8JsonWriter json, CallReport call, DateTimeOffset at, int status)
    {
        json.WriteStartObject();
        json.WriteNumber("ts"u8, at.ToUnixTimeMilliseconds() / 1000m);
        json.WriteString("rid"u8, call.Id.Value);
        json.WriteNumber("status"u8, status);
        if (call.User is { } user)
        {
            json.WriteString("user"u8, user.Name);
        }

        if (call.Plan is { } plan)
        {
            json.WriteString("lane"u8, plan.Lane.Name);
            json.WriteString("upstream"u8, plan.Lane.Name == BuiltInLanes.Anthropic ? "anth" : plan.Lane.Name);
        }

        if (call.Facts is { } facts)
        {
            json.WriteString("model"u8, facts.Model);
            json.WriteString("op"u8, facts.IsStream ? "stream"u8 : "nonstream"u8);
        }

        if (call.Session is { } session)
        {
            json.WriteString("session"u8, session);
        }

        if (call.Agent is { } agent)
        {
            json.WriteString("agent"u8, agent);
        }
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
}
