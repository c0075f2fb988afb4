using Ccp.Forwarding;
using Ccp.Telemetry;

namespace Ccp.Usage;

/// <summary>Counts a call that is over, for the metrics: the same numbers as in its line of the usage log.</summary>
internal static class CallCounts
{
    public static void Count(this Metrics metrics, CallReport call)
    {
        var lane = call.Plan?.Lane.Name ?? "";
        metrics.CountCall(lane, call.Reason);
        if (call.Fallback is { } fallback)
        {
            metrics.CountFallback(fallback.From, fallback.Cause.ToReason());
        }

        if (call.Result?.TimeToFirstByte is { } firstByte)
        {
            metrics.NoteFirstByte(lane, firstByte);
        }

        if (call.Owed is { Tokens: var tokens })
        {
            metrics.CountTokens(lane, "input", tokens.Input);
            metrics.CountTokens(lane, "output", tokens.Output);
            metrics.CountTokens(lane, "cache_write_5m", tokens.CacheWrite5m);
            metrics.CountTokens(lane, "cache_write_1h", tokens.CacheWrite1h);
            metrics.CountTokens(lane, "cache_read", tokens.CacheRead);
        }

        if (call.Charge is { } charge)
        {
            metrics.CountMoney(lane, call.User!.IsCharged ? charge.Amount.Value : 0, charge.Cost.Value);
        }
    }
}
