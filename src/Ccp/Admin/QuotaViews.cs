using System.Text.Json.Serialization;
using Ccp.Configuration;
using Ccp.Quotas;
using Ccp.Usage;

namespace Ccp.Admin;

/// <param name="From">The beginning of the period; later than asked where there were too many calls to look at.</param>
internal sealed record LaneReportView(DateTimeOffset From, bool Complete, IReadOnlyList<LaneUseView> Lanes, IReadOnlyList<QuotaView> Quotas);

/// <param name="TokensPerSecond">Of output, while answers were streamed.</param>
/// <param name="TokensPerSecondWall">Of output, over the whole time of the calls.</param>
/// <param name="FastestHour">Of the day, UTC, 0 to 23.</param>
/// <param name="TooManyRequests">Answers of the lane itself with status 429.</param>
internal sealed record LaneUseView(
    string Lane,
    string Model,
    long Requests,
    long InputTokens,
    long OutputTokens,
    long CacheReadTokens,
    long CacheWriteTokens,
    decimal? TokensPerSecond,
    decimal? TokensPerSecondWall,
    long? TtftP50Ms,
    long? TtftP95Ms,
    int? FastestHour,
    decimal? FastestHourTokensPerSecond,
    long TooManyRequests,
    long Fallbacks)
{
    public static LaneUseView Of(LaneUse use) => new(
        use.Lane,
        use.Model,
        use.Requests,
        use.Tokens.Input,
        use.Tokens.Output,
        use.Tokens.CacheRead,
        use.Tokens.CacheWrite,
        use.StreamingRate,
        use.WallRate,
        use.TtftP50Ms,
        use.TtftP95Ms,
        use.FastestHour,
        use.FastestHourRate,
        use.TooMany,
        use.Fallbacks);
}

internal sealed record QuotasView(IReadOnlyList<QuotaView> Quotas);

/// <param name="WarnAt">The share from which a warning stands.</param>
/// <param name="Learned">Null unless <c>warn_at = "auto"</c>.</param>
/// <param name="CooldownUntil">Null unless the lane is avoided after a 429.</param>
/// <param name="InFlight">Calls in progress that count here.</param>
internal sealed record QuotaView(
    string Model,
    string Lane,
    string Reroute,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] QuotaWindowView? Rolling,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] QuotaWindowView? Weekly,
    decimal WarnAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] LearnedView? Learned,
    bool Warned,
    bool Blocked,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? CooldownUntil,
    int InFlight)
{
    public static QuotaView Of(QuotaStanding standing) => new(
        standing.Quota.Pattern,
        standing.Quota.Lane,
        standing.Quota.Reroute switch { QuotaReroute.Hybrid => "hybrid", QuotaReroute.RunToCap => "run_to_cap", _ => "preemptive" },
        QuotaWindowView.Of(standing.Rolling),
        QuotaWindowView.Of(standing.Weekly),
        standing.Warning.At,
        standing.Quota.WarnAt is null ? new LearnedView(standing.Warning.IsLearned, standing.Warning.Samples, standing.Warning.Confidence) : null,
        standing.IsWarned,
        standing.IsFull,
        standing.CooldownUntil,
        standing.InFlight);
}

/// <param name="FreesAt">When there is room again; null while there is.</param>
internal sealed record QuotaWindowView(string Window, long Used, long Cap, decimal Percent, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? FreesAt)
{
    public static QuotaWindowView? Of(WindowStanding? window) => window is null
        ? null
        : new QuotaWindowView(Quantities.Format(window.Length), window.Used, window.Cap, Math.Round(window.Share * 100, 1), window.FreesAt);
}

/// <param name="InForce">False: too few samples yet, and the usual share stands.</param>
internal sealed record LearnedView(bool InForce, int Samples, decimal Confidence);
