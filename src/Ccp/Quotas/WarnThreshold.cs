using Ccp.Configuration;

namespace Ccp.Quotas;

/// <summary>The share of a cap from which a quota warns: stated, or learned from where the lane itself said 429.</summary>
/// <param name="IsLearned">True: <c>warn_at = "auto"</c>, with samples enough to go by.</param>
/// <param name="Samples">How many times the lane said 429, as far as they are looked at.</param>
/// <param name="Confidence">0 to 1: many samples close together give 1. 0 as long as nothing is learned.</param>
internal sealed record WarnThreshold(decimal At, bool IsLearned, int Samples, decimal Confidence)
{
    public const decimal Usual = 0.8m;

    /// <summary>So many of the newest samples are looked at: what a provider allows changes.</summary>
    public const int SamplesMax = 20;

    /// <summary>With fewer, one odd answer would decide.</summary>
    private const int SamplesMin = 3;

    /// <summary>From here on more samples make nobody surer.</summary>
    private const decimal SamplesEnough = 10;

    /// <summary>A 429 this far below the cap is about the pace, not about the quota, and teaches nothing.</summary>
    private const decimal ShareMin = 0.1m;

    /// <summary>The warning is to come before the end does.</summary>
    private const decimal Margin = 0.9m;

    private const decimal AtMax = 0.95m;

    /// <param name="shares">Of the cap, used when the lane said 429; the newest <see cref="SamplesMax"/> at most.</param>
    public static WarnThreshold Of(QuotaConfig quota, IEnumerable<decimal> shares)
    {
        var taught = shares.Where(share => share >= ShareMin).Order().ToList();
        if (quota.WarnAt is { } stated)
        {
            return new WarnThreshold(stated, IsLearned: false, taught.Count, 0);
        }

        if (taught.Count < SamplesMin)
        {
            return new WarnThreshold(Usual, IsLearned: false, taught.Count, 0);
        }

        // The lower of the two in the middle: rather a warning too early.
        var median = taught[(taught.Count - 1) / 2];
        var spread = Math.Min(1, taught[^1] - taught[0]);
        var confidence = Math.Min(1, taught.Count / SamplesEnough) * (1 - spread);
        return new WarnThreshold(Math.Min(AtMax, Math.Round(median * Margin, 3)), IsLearned: true, taught.Count, Math.Round(confidence, 2));
    }
}
