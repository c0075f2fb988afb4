namespace Ccp.Pricing;

/// <summary>The prices ccp knows without being told.</summary>
/// <remarks>
/// Units: USD per million tokens, in the order input, cache write 5 min, cache write 1 h, cache read, output.
/// Each row names exact ids: a future model must never be priced by an old one's row (see <see cref="PriceBook"/>).
/// Source: given with every row. Days are the last of the month the source was read in.
/// </remarks>
internal static class BuiltInPrices
{
    private const string Anthropic = "Anthropic pricing and model pages; agrees with the table in Claude Code 2.1.330";
    private const string Zai = "docs.z.ai pricing; cache write is not published, priced as input (assumption)";
    private const string ZaiCacheReadAssumed = Zai + "; cache read is an assumption too";

    private const decimal SearchPer1000 = 10m;
    private const decimal UsGeo = 1.1m;
    private const decimal NoGeo = 1m;

    private static readonly DateOnly AnthropicAsOf = new(2026, 10, 31);
    private static readonly DateOnly ZaiAsOf = new(2026, 8, 31);

    public static IReadOnlyList<PriceRow> Rows { get; } =
    [
        .. Claude(["claude-fable-5-2", "claude-mythos-5-2"], new(8m, 10m, 16m, 0.20m, 40m), UsGeo),
        .. Claude(["claude-fable-5-1", "claude-mythos-5-1"], new(10m, 12.50m, 20m, 0.25m, 50m), UsGeo),
        .. Claude(["claude-fable-5", "claude-mythos-5"], new(10m, 12.50m, 20m, 1.00m, 50m), UsGeo),

        .. Claude(["claude-opus-5-5"], new(4m, 5m, 8m, 0.20m, 20m), UsGeo, fast: new(8m, 10m, 16m, 0.40m, 40m)),
        .. Claude(["claude-opus-5", "claude-opus-4-8"], new(5m, 6.25m, 10m, 0.50m, 25m), UsGeo, fast: new(10m, 12.50m, 20m, 1.00m, 50m)),
        .. Claude(["claude-opus-4-7", "claude-opus-4-6"], new(5m, 6.25m, 10m, 0.50m, 25m), UsGeo),
        .. Claude(["claude-opus-4-5"], new(5m, 6.25m, 10m, 0.50m, 25m), NoGeo),
        .. Claude(["claude-opus-4-1", "claude-opus-4-0", "claude-opus-4"], new(15m, 18.75m, 30m, 1.50m, 75m), NoGeo),

        .. Claude(["claude-sonnet-5-5"], new(2m, 2.50m, 4m, 0.20m, 10m), UsGeo),
        .. Claude(["claude-sonnet-5-5"], new(2m, 2.50m, 4m, 0.10m, 10m), UsGeo, from: new(2026, 10, 7, 0, 0, 0, TimeSpan.Zero)),
        .. Claude(["claude-sonnet-5"], new(2m, 2.50m, 4m, 0.20m, 10m), UsGeo),
        .. Claude(["claude-sonnet-4-6"], new(3m, 3.75m, 6m, 0.30m, 15m), UsGeo),
        .. Claude(
            ["claude-sonnet-4-5", "claude-sonnet-4", "claude-3-7-sonnet", "claude-3-5-sonnet"],
            new(3m, 3.75m, 6m, 0.30m, 15m),
            NoGeo),

        .. Claude(
            ["claude-haiku-5-5"],
            new(0.10m, 0.125m, 0.20m, 0.01m, 0.50m),
            UsGeo,
            above: new(100_000, new(0.50m, 0.625m, 1.00m, 0.05m, 2.50m))),
        .. Claude(["claude-haiku-4-5"], new(1m, 1.25m, 2m, 0.10m, 5m), NoGeo),
        .. Claude(["claude-3-5-haiku"], new(0.80m, 1m, 1.60m, 0.08m, 4m), NoGeo),

        .. Glm(["glm-5.3", "glm-5.2"], new(1.40m, 1.40m, 1.40m, 0.26m, 4.40m)),
        .. Glm(["glm-5.3-flash"], new(0.15m, 0.15m, 0.15m, 0.03m, 0.50m)),
        .. Glm(["glm-5"], new(1.00m, 1.00m, 1.00m, 0.20m, 3.20m), ZaiCacheReadAssumed),
        .. Glm(["glm-4.7", "glm-4.6", "glm-4.5"], new(0.60m, 0.60m, 0.60m, 0.11m, 2.20m)),
        .. Glm(["glm-4.5-air"], new(0.20m, 0.20m, 0.20m, 0.03m, 1.10m)),
    ];

    private static IEnumerable<PriceRow> Claude(
        string[] models,
        TokenPrices prices,
        decimal usGeo,
        PromptTier? above = null,
        TokenPrices? fast = null,
        DateTimeOffset? from = null) =>
        models.Select(model => new PriceRow(model, prices, above, fast, SearchPer1000, usGeo, from, AnthropicAsOf, Anthropic));

    private static IEnumerable<PriceRow> Glm(string[] models, TokenPrices prices, string source = Zai) =>
        models.Select(model => new PriceRow(model, prices, null, null, SearchPer1000, NoGeo, null, ZaiAsOf, source));
}
