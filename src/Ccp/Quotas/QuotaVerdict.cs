using Ccp.Configuration;
using Ccp.Pricing;

namespace Ccp.Quotas;

/// <summary>What the quotas say about sending a call to a lane: the gravest counts.</summary>
internal enum QuotaAdvice
{
    Clear,

    /// <summary>A warning stands, and the call goes all the same.</summary>
    Attempt,

    /// <summary>A warning stands, and the operator wants another lane to be taken from here on.</summary>
    Preempted,

    /// <summary>The lane has said 429 a moment ago: another one is better.</summary>
    CoolingDown,

    /// <summary>Used up: nothing more goes there.</summary>
    Full,
}

/// <param name="Full">The quota that takes longest to have room again; null unless the advice is <see cref="QuotaAdvice.Full"/>.</param>
internal readonly record struct QuotaVerdict(QuotaAdvice Advice, QuotaStanding? Full)
{
    /// <summary>A pure function of how the quotas stand.</summary>
    public static QuotaVerdict Of(IReadOnlyList<QuotaStanding> standings, string lane, string model, DateTimeOffset now)
    {
        var advice = QuotaAdvice.Clear;
        QuotaStanding? full = null;
        foreach (var standing in standings)
        {
            if (standing.Quota.Lane != lane || !ModelGlob.Matches(standing.Quota.Pattern, model))
            {
                continue;
            }

            var own = AdviceOf(standing, now);
            advice = own > advice ? own : advice;
            if (own == QuotaAdvice.Full && (full is null || standing.FreesAt > full.FreesAt))
            {
                full = standing;
            }
        }

        return new QuotaVerdict(advice, full);
    }

    /// <summary>What one quota says by itself.</summary>
    public static QuotaAdvice AdviceOf(QuotaStanding standing, DateTimeOffset now) => standing switch
    {
        { IsFull: true } => QuotaAdvice.Full,
        { Quota.Reroute: QuotaReroute.RunToCap } => QuotaAdvice.Clear,
        { CooldownUntil: { } until } when until > now => QuotaAdvice.CoolingDown,
        { IsWarned: true, Quota.Reroute: QuotaReroute.Preemptive } => QuotaAdvice.Preempted,
        { IsWarned: true } => QuotaAdvice.Attempt,
        _ => QuotaAdvice.Clear,
    };
}
