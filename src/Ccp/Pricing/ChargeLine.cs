namespace Ccp.Pricing;

/// <summary>One line of a receipt: units × price × factors, in dollars.</summary>
/// <param name="Item">What was used: <c>input</c>, <c>cache_write_5m</c>, <c>cache_write_1h</c>, <c>cache_read</c>, <c>output</c>, <c>web_searches</c>; else what makes the sum right.</param>
/// <param name="Pass">Which iteration of the answer, from 1; null when it had none.</param>
/// <param name="Row">The model of the price row.</param>
/// <param name="Basis">Which prices of the row: <c>standard</c>, <c>fast</c> or <c>above</c> (the tier for large prompts).</param>
/// <param name="UnitUsd">USD for <paramref name="Per"/> units, as the provider publishes it.</param>
/// <param name="Usd">What the line comes to; it may have more than nine decimals.</param>
internal sealed record ChargeLine(
    string Item,
    int? Pass,
    string? Row,
    string? Basis,
    long? Count,
    decimal? UnitUsd,
    long? Per,
    decimal? GeoFactor,
    decimal? BatchFactor,
    decimal? Markup,
    decimal Usd)
{
    /// <summary>The last line: what the one rounding of a charge adds.</summary>
    public const string RoundingUp = "rounding_up";

    /// <summary>Takes away what is not charged, for users who are metered only.</summary>
    public const string NotCharged = "not_charged";

    public static ChargeLine Plain(string item, decimal usd) => new(item, null, null, null, null, null, null, null, null, null, usd);
}

/// <summary>A charge taken apart.</summary>
/// <param name="Lines">They add up to the charged amount, exactly, in the order they stand.</param>
/// <param name="Rows">Each price row that a line used, once.</param>
internal sealed record ItemizedCharge(Charge Charge, IReadOnlyList<ChargeLine> Lines, IReadOnlyList<PriceRow> Rows);
