namespace Ccp.Pricing;

/// <summary>What one model costs, from one day on.</summary>
/// <param name="Model">An exact id; in an operator's row also a glob (<c>claude-haiku-*</c>).</param>
/// <param name="Above">Null: one price whatever the prompt's size.</param>
/// <param name="Fast">Null: the model has no fast mode.</param>
/// <param name="WebSearchPer1000">USD.</param>
/// <param name="UsGeoFactor">On every token class when the provider reports <c>inference_geo = "us"</c>; 1 where it does not apply.</param>
/// <param name="EffectiveFrom">UTC; null: always was.</param>
/// <param name="AsOf">The day the numbers were read at their source.</param>
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
    string Source);

/// <summary>USD per million tokens, as the provider publishes them.</summary>
internal sealed record TokenPrices(decimal Input, decimal CacheWrite5m, decimal CacheWrite1h, decimal CacheRead, decimal Output);

/// <summary>Other prices for a request whose whole prompt is larger than a limit. They apply to all of it, not to the part above.</summary>
internal sealed record PromptTier(long PromptTokens, TokenPrices Prices);
