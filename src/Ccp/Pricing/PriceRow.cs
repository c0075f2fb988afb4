namespace Ccp.Pricing;

/// <summary>What one model costs, from one day on.</summary>
/// <param name="Model">An exact id; in an operator's row also a glob (<c>claude-haiku-*</c>).</param>
/// <param name="Above">Null: one price whatever the prompt's size.</param>
/// <param name="Fast">Null: the model has no fast mode.</param>
/// <param name="WebSearchPer1000">USD.</param>
/// <param name="UsGeoFactor">On every token class when the provider reports <c>inference_geo = "us"</c>; 1 where it does not apply.</param>
/// <param name="EffectiveFrom">UTC; null: always was.</param>
/// <param name="AsOf">The day the numbers were read at their source; the first of all days for an operator's row, which is its own source.</param>
/// <param name="Source">Where the numbers come from.</param>
internal sealed record PriceRow(
    string Model,
    TokenPrices Prices,
    PromptTier? Above,
    TokenPrices? Fast,
    decimal WebSearchPer1000,
    decimal UsGeoFactor,
    DateTimeOffset? EffectiveFrom,
    DateOnly AsOf,
    string Source)
{
    /// <summary>The prices of a whole request with a prompt of this size.</summary>
    public TokenPrices For(long promptTokens) => Above is { } tier && promptTokens > tier.PromptTokens ? tier.Prices : Prices;

    /// <summary>The prices of an answer. A fast answer of a model that has no fast row was not sold as one: standard prices.</summary>
    public TokenPrices For(in PriceTerms terms, long promptTokens) => IsFast(terms) ? Fast! : For(promptTokens);

    public bool IsFast(in PriceTerms terms) => terms.IsFast && Fast is not null;

    public decimal GeoFactorOf(in PriceTerms terms) => terms.InferenceGeo == PriceTerms.Us ? UsGeoFactor : 1;
}

/// <summary>USD per million tokens, as the provider publishes them.</summary>
internal sealed record TokenPrices(decimal Input, decimal CacheWrite5m, decimal CacheWrite1h, decimal CacheRead, decimal Output)
{
    public bool AreZero => this is { Input: 0, CacheWrite5m: 0, CacheWrite1h: 0, CacheRead: 0, Output: 0 };

    /// <summary>Of a token of the prompt: usually when it is written to the cache for an hour, but an operator's prices are what they are.</summary>
    public decimal DearestPrompt => Math.Max(Math.Max(Input, CacheRead), Math.Max(CacheWrite5m, CacheWrite1h));

    /// <summary>Of a token of the prompt: usually when it is read from the cache.</summary>
    public decimal CheapestPrompt => Math.Min(Math.Min(Input, CacheRead), Math.Min(CacheWrite5m, CacheWrite1h));

    /// <returns>Millionths of a dollar, unrounded: a price per million tokens times tokens is just that.</returns>
    public decimal MicroUsdOf(in TokenUsage tokens) =>
        (Input * tokens.Input)
        + (CacheWrite5m * tokens.CacheWrite5m)
        + (CacheWrite1h * tokens.CacheWrite1h)
        + (CacheRead * tokens.CacheRead)
        + (Output * tokens.Output);
}

/// <summary>Other prices for a request whose whole prompt is larger than a limit. They apply to all of it, not to the part above.</summary>
internal sealed record PromptTier(long PromptTokens, TokenPrices Prices);
