using Ccp.Configuration;
using Ccp.Ledger;
using Ccp.Pricing;

namespace Ccp.Routing;

/// <summary>Where a call goes, with which key, at which price. Rates are null for calls that cost nothing.</summary>
/// <param name="Key">Of the lane, or the user's own; on a lane that passes logins on, the caller's whole <c>authorization</c>.</param>
/// <param name="IsUsersOwnKey">True: the rate-limit headers of the answer are the user's own and may pass.</param>
internal sealed record LanePlan(LaneConfig Lane, Secret Key, bool IsUsersOwnKey, string Reason, RateCard? Rates)
{
    /// <summary>What wanted the call on its first lane, whatever then stood in the way: one of <see cref="RouteReason"/>.</summary>
    public string ChosenBy { get; init; } = Reason;

    /// <summary>What the model is called there; null for calls that name none.</summary>
    public string? ModelOnLane { get; init; }

    /// <summary>Lanes that were wanted before this one, and why they were not taken.</summary>
    public IReadOnlyList<RejectedLane> Rejected { get; init; } = [];

    /// <summary>Where the call may go once more, if that is still allowed by then, when this lane fails before the first byte of its answer; null: nowhere.</summary>
    public LanePlan? Fallback { get; init; }

    /// <summary>As it is kept with the call.</summary>
    public LaneDecision ToDecision() => new(Lane.Name, Reason, ChosenBy == Reason ? null : ChosenBy, RejectedLane.ToText(Rejected));
}

/// <param name="Reason">One of <see cref="RouteReason"/>.</param>
internal sealed record RejectedLane(string Lane, string Reason)
{
    /// <summary>As the store has them, <c>zai=license_block other=no_price</c>: neither names nor reasons have a space or an equals sign in them.</summary>
    /// <returns>Null when there are none.</returns>
    public static string? ToText(IReadOnlyList<RejectedLane> lanes) => lanes.Count == 0 ? null : string.Join(' ', lanes.Select(lane => $"{lane.Lane}={lane.Reason}"));

    public static IReadOnlyList<RejectedLane> Parse(string? text) =>
        text is null ? [] : [.. text.Split(' ').Select(lane => lane.Split('=')).Select(parts => new RejectedLane(parts[0], parts[1]))];
}

/// <summary>What a call may cost, from the little that is known before it is sent.</summary>
internal static class CostForecasts
{
    /// <summary>Most answers are shorter than this; the 95th percentile takes over once there is one.</summary>
    private const long UsualOutputTokens = 2_000;

    /// <summary>Taken when a request does not say how long its answer may be.</summary>
    private const long OutputTokensMax = 128_000;

    /// <summary>More than any model writes: what lies above is a mistake, which the provider answers, and no sum of money.</summary>
    private const long OutputTokensBelievable = 10_000_000;

    public static CostForecast Of(RateCard rates, RequestFacts facts)
    {
        var longest = Math.Min(facts.MaxTokens ?? OutputTokensMax, OutputTokensBelievable);
        var guess = new TokenUsage { Input = facts.EstimatedPromptTokens, Output = Math.Min(longest, UsualOutputTokens) };
        return new CostForecast(
            rates.LeastAmount(facts.EstimatedPromptTokens),
            rates.RunningAmount(guess, rates.Assume(guess, reported: default, facts.Asked)),
            rates.WorstAmount(facts.EstimatedPromptTokens, PromptEstimate.MostFor(facts.EstimatedPromptTokens), longest, facts.Asked));
    }
}
