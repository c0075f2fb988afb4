using Ccp.Pricing;

namespace Ccp.Ledger;

/// <summary>What a call may come to, in charge dollars, before it is sent.</summary>
/// <param name="Least">The estimated prompt at its cheapest: where the whole conversation is read from the cache.</param>
/// <param name="Guess">The estimated prompt and a modest answer.</param>
/// <param name="Worst">The estimated prompt at its dearest and the longest answer asked for.</param>
internal readonly record struct CostForecast(NanoUsd Least, NanoUsd Guess, NanoUsd Worst);

/// <summary>How much to hold for a call.</summary>
internal static class HoldPolicy
{
    /// <remarks>The first event of a stream carries the whole prompt, whatever such calls have cost so far: less than that at its cheapest is never held.</remarks>
    /// <param name="usual">The 95th percentile of the account's recent charges for this model; null when too few are known.</param>
    /// <param name="canEndEarly">False for an answer that comes whole: it cannot be stopped half way, so all it may cost is held.</param>
    public static NanoUsd AmountFor(CostForecast forecast, NanoUsd? usual, bool canEndEarly) =>
        canEndEarly ? NanoUsd.Max(forecast.Least, NanoUsd.Min(usual ?? forecast.Guess, forecast.Worst)) : forecast.Worst;
}
