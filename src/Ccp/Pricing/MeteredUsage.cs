namespace Ccp.Pricing;

/// <summary>Everything about one answer that its price depends on.</summary>
/// <param name="Tokens">All tokens. Where there are iterations, their sum.</param>
/// <param name="Iterations">Empty for an ordinary answer; else the passes it was made of, each priced at its own model and tier.</param>
/// <param name="WebSearches">Searches the provider ran, priced per thousand.</param>
/// <param name="ServiceTier">As the provider named it; <c>batch</c> halves the price.</param>
/// <param name="InferenceGeo">As the provider named it; <c>us</c> costs more on models from 4.6 on.</param>
/// <param name="Speed">As the provider named it; <c>fast</c> has price rows of its own.</param>
internal sealed record MeteredUsage(
    TokenUsage Tokens,
    IReadOnlyList<UsageIteration> Iterations,
    long WebSearches = 0,
    string? ServiceTier = null,
    string? InferenceGeo = null,
    string? Speed = null)
{
    public static readonly MeteredUsage Nothing = new(default, []);

    public PriceTerms Terms => new(InferenceGeo, Speed);

    public static MeteredUsage Of(TokenUsage tokens) => new(tokens, []);

    public MeteredUsage At(in PriceTerms terms) => this with { InferenceGeo = terms.InferenceGeo, Speed = terms.Speed };
}

/// <summary>One pass of an answer that took several: a compaction, an advisor, the message itself.</summary>
/// <param name="Model">Null: the model that was asked.</param>
internal readonly record struct UsageIteration(string? Model, TokenUsage Tokens);
