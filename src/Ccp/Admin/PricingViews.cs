using System.Text.Json.Serialization;
using Ccp.Pricing;

namespace Ccp.Admin;

/// <summary>USD per million tokens.</summary>
/// <param name="PromptTokens">Only in the tier for large prompts: it applies above this many.</param>
internal sealed record TokenPricesView(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? PromptTokens,
    decimal Input,
    decimal CacheWrite5m,
    decimal CacheWrite1h,
    decimal CacheRead,
    decimal Output)
{
    public static TokenPricesView Of(TokenPrices prices, long? promptTokens = null) =>
        new(promptTokens, prices.Input, prices.CacheWrite5m, prices.CacheWrite1h, prices.CacheRead, prices.Output);
}

/// <summary>A row of the price book.</summary>
/// <param name="Origin"><c>own</c> or <c>built_in</c>.</param>
/// <param name="State"><c>in_force</c>, <c>not_yet</c>, <c>replaced</c> or <c>overridden</c>.</param>
internal sealed record PriceRowView(
    string Model,
    string Origin,
    string State,
    DateTimeOffset? EffectiveFrom,
    DateOnly? AsOf,
    string Source,
    TokenPricesView Prices,
    TokenPricesView? Above,
    TokenPricesView? Fast,
    decimal WebSearchPer1000,
    decimal UsGeoFactor)
{
    public static PriceRowView Of(ListedPrice listed) => Of(listed.Row, listed.IsOwn, listed.State switch
    {
        PriceState.InForce => "in_force",
        PriceState.NotYet => "not_yet",
        PriceState.Replaced => "replaced",
        PriceState.Overridden => "overridden",
        _ => throw new ArgumentOutOfRangeException(nameof(listed)),
    });

    public static PriceRowView Of(PriceRow row, bool isOwn, string state) => new(
        row.Model,
        isOwn ? "own" : "built_in",
        state,
        row.EffectiveFrom,
        row.AsOf == DateOnly.MinValue ? null : row.AsOf,
        row.Source,
        TokenPricesView.Of(row.Prices),
        row.Above is { } tier ? TokenPricesView.Of(tier.Prices, tier.PromptTokens) : null,
        row.Fast is { } fast ? TokenPricesView.Of(fast) : null,
        row.WebSearchPer1000,
        row.UsGeoFactor);
}

/// <summary>How a model would be priced now.</summary>
/// <param name="Priced">False: a call for it is refused.</param>
/// <param name="Why">In sentences.</param>
/// <param name="Example">Null when there is no price.</param>
/// <param name="OtherLanes">The same model on every lane but <paramref name="Lane"/>, in short.</param>
internal sealed record PriceExplanationView(
    string Model,
    string Lane,
    DateTimeOffset At,
    bool Priced,
    string PricedAs,
    IReadOnlyList<string> Why,
    PriceRowView? Row,
    decimal Markup,
    PriceExampleView? Example,
    IReadOnlyList<LanePriceView> OtherLanes);

/// <summary>What a model would be charged as on one lane.</summary>
/// <param name="State">"usable", or why nothing can be sent there.</param>
/// <param name="Prices">Null: nobody has said what it costs there, so no call for it goes there.</param>
internal sealed record LanePriceView(string Lane, string State, string PricedAs, TokenPricesView? Prices);

internal sealed record PriceExampleView(IReadOnlyList<ChargeLine> Lines, NanoUsd UpstreamCostDollars, NanoUsd ChargeDollars);

/// <summary>What a rerating found, and, unless it was a dry run, posted.</summary>
/// <param name="Requests">All that were looked at.</param>
/// <param name="Corrected">Of those, the ones with a difference.</param>
/// <param name="DifferenceDollars">What users are charged more (positive) or given back (negative).</param>
/// <param name="BelowZero">Users whose balance is below zero now.</param>
internal sealed record RerateView(
    string Run,
    bool DryRun,
    DateTimeOffset Since,
    DateTimeOffset Until,
    long Requests,
    long Corrected,
    NanoUsd ChargedDollars,
    NanoUsd WouldBeDollars,
    NanoUsd DifferenceDollars,
    RerateSkippedView Skipped,
    IReadOnlyList<RerateLineView> Lines,
    IReadOnlyList<string> BelowZero);

/// <summary>Requests that were left as they are, and why.</summary>
/// <param name="WithoutUsage">Records of an older ccp, which keep too little.</param>
/// <param name="WithoutPrice">Of models that have no price now.</param>
/// <param name="OtherTerms">Corrected by the same run before, to another amount: a new run corrects them.</param>
internal sealed record RerateSkippedView(long Refunded, long NotCharged, long WithoutUsage, long WithoutPrice, long OtherTerms);

internal sealed record RerateLineView(
    string Username,
    string Model,
    long Requests,
    long Estimated,
    long Corrected,
    NanoUsd ChargedDollars,
    NanoUsd WouldBeDollars,
    NanoUsd DifferenceDollars);
