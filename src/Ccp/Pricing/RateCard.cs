namespace Ccp.Pricing;

/// <summary>What one call is priced with, frozen when it was admitted: no reload changes what a running call costs.</summary>
/// <remarks>
/// A charge is Σ tokens × price × modifiers, exact in <c>decimal</c>, and rounded up to the next nano-dollar once, at the end.
/// It is exact while prices have up to nine digits and the markup up to six; beyond, <c>decimal</c> rounds at its 28th digit.
/// Modifiers are on tokens; searches cost the same in a batch and in any region.
/// Errors: <see cref="OverflowException"/> for amounts above 9.2 billion USD, which no reading can reach at any sane price.
/// </remarks>
/// <param name="Model">The model asked for, as the lane that answers knows it.</param>
/// <param name="Markup">Factor on the provider's price; 1 charges cost.</param>
/// <param name="Book">Where the rows of other models are looked up: the one that answered, those of iterations.</param>
/// <param name="AdmittedAt">UTC; prices are those in force then.</param>
/// <param name="IsFixed">The lane prices everything as <paramref name="Row"/> (<c>price_as</c>), whichever model answers.</param>
internal sealed record RateCard(string Model, PriceRow Row, decimal Markup, PriceBook Book, DateTimeOffset AdmittedAt, bool IsFixed)
{
    public const decimal BatchFactor = 0.5m;

    /// <summary>Whether a call can cost nothing but zero. It needs no balance then, and still leaves an entry.</summary>
    public bool IsFree => Markup == 0
        || (Row.Prices.AreZero && (Row.Above?.Prices.AreZero ?? true) && (Row.Fast?.AreZero ?? true) && Row.WebSearchPer1000 == 0);

    /// <param name="answeredModel">As the provider named it; null, or a model without a row: the asked one's row.</param>
    public Charge Price(MeteredUsage usage, string? answeredModel)
    {
        var row = RowCharged(usage, answeredModel);
        var microUsd = MicroUsdOf(usage, row);
        return new Charge(NanoUsd.CeilingFromMicroUsd(microUsd), NanoUsd.CeilingFromMicroUsd(microUsd * Markup), row.Model);
    }

    /// <summary>The dearer of the asked and the answering model's row, so that neither an alias that resolves upwards nor a silent downgrade is served below its price.</summary>
    public PriceRow RowCharged(MeteredUsage usage, string? answeredModel) =>
        answeredModel is not null
        && RowOf(answeredModel) is { } answered
        && answered != Row
        && MicroUsdOf(usage, answered) > MicroUsdOf(usage, Row)
            ? answered
            : Row;

    /// <summary>The row of one pass: its own model's, else the one of the whole answer.</summary>
    public PriceRow RowOfPass(in UsageIteration pass, PriceRow charged) => (pass.Model is null ? null : RowOf(pass.Model)) ?? charged;

    /// <returns>The row of a model that an answer names; null when it has none.</returns>
    public PriceRow? RowOf(string model)
    {
        if (IsFixed || model == Model)
        {
            return Row;
        }

        // The same row under another spelling (a date, -latest) is the frozen one, whatever a later book says of it.
        return Book.Find(model, AdmittedAt) is { } found ? (found.Model == Row.Model ? Row : found) : null;
    }

    /// <summary>What a call in flight would be charged for its tokens so far. Allocates nothing.</summary>
    public NanoUsd RunningAmount(in TokenUsage tokens, in PriceTerms terms) => NanoUsd.CeilingFromMicroUsd(MicroUsdOf(tokens, Row, terms) * Markup);

    /// <summary>The terms that hold until the provider has said: what was asked for, where that is the dearer. Allocates nothing.</summary>
    public PriceTerms Assume(in TokenUsage tokens, in PriceTerms reported, in PriceTerms asked)
    {
        var both = reported.Or(asked);
        return both != reported && MicroUsdOf(tokens, Row, both) > MicroUsdOf(tokens, Row, reported) ? both : reported;
    }

    /// <summary>The most that a prompt and an answer of this size may be charged, wherever they are served: where that is may be a setting of the key.</summary>
    /// <param name="promptTokensMax">What a prompt that was estimated may turn out to have, for the tier it may get into.</param>
    public NanoUsd WorstAmount(long promptTokens, long promptTokensMax, long outputTokens, in PriceTerms asked)
    {
        var worst = Worst(Row.Prices);
        if (Row.Above is { } tier && promptTokensMax > tier.PromptTokens)
        {
            worst = Math.Max(worst, Worst(tier.Prices));
        }

        if (asked.IsFast && Row.Fast is { } fast)
        {
            worst = Math.Max(worst, Worst(fast));
        }

        return NanoUsd.CeilingFromMicroUsd(worst * Math.Max(1, Row.UsGeoFactor) * Markup);

        decimal Worst(TokenPrices prices) => (prices.DearestPrompt * promptTokens) + (prices.Output * outputTokens);
    }

    /// <summary>The least that a prompt of this size may be charged: all of it at the cheapest price that the row has for a prompt.</summary>
    public NanoUsd LeastAmount(long promptTokens)
    {
        var cheapest = Math.Min(Row.Prices.CheapestPrompt, Math.Min((Row.Above?.Prices ?? Row.Prices).CheapestPrompt, (Row.Fast ?? Row.Prices).CheapestPrompt));
        return NanoUsd.CeilingFromMicroUsd(cheapest * promptTokens * Math.Min(1, Row.UsGeoFactor) * Markup);
    }

    /// <summary>Compact JSON for the hold row and the request record; <see cref="RateCardJson.TryRead"/> reads it back.</summary>
    public string ToJson() => RateCardJson.Write(this);

    private static decimal MicroUsdOf(in TokenUsage tokens, PriceRow row, in PriceTerms terms) =>
        row.For(terms, tokens.Prompt).MicroUsdOf(tokens) * row.GeoFactorOf(terms);

    private static decimal MicroUsdOf(in TokenUsage tokens, PriceRow row, MeteredUsage usage) =>
        MicroUsdOf(tokens, row, usage.Terms) * BatchFactorOf(usage);

    public static decimal BatchFactorOf(MeteredUsage usage) => usage.ServiceTier == "batch" ? BatchFactor : 1;

    private decimal MicroUsdOf(MeteredUsage usage, PriceRow row)
    {
        var microUsd = usage.WebSearches * row.WebSearchPer1000 * 1_000;
        if (usage.Iterations.Count == 0)
        {
            return microUsd + MicroUsdOf(usage.Tokens, row, usage);
        }

        // The passes are the whole truth: what stands beside them at the top is one of them, or their sum.
        foreach (var pass in usage.Iterations)
        {
            microUsd += MicroUsdOf(pass.Tokens, RowOfPass(pass, row), usage);
        }

        return microUsd;
    }
}
