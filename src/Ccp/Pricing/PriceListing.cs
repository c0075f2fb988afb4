namespace Ccp.Pricing;

/// <summary>A row of the price book as a list shows it.</summary>
/// <param name="IsOwn">The operator's; else built in.</param>
internal readonly record struct ListedPrice(PriceRow Row, bool IsOwn, PriceState State);

internal enum PriceState
{
    InForce,

    /// <summary>Its day has not come.</summary>
    NotYet,

    /// <summary>A row of the same origin for the same id took effect later.</summary>
    Replaced,

    /// <summary>A row of the operator's comes before this built-in one.</summary>
    Overridden,
}

/// <summary>Every row of a price book, the operator's first, and which of them are in force.</summary>
internal static class PriceListing
{
    /// <param name="pattern">An id or a pattern; an operator's pattern that an id falls under is listed with it. Null: all rows.</param>
    public static IEnumerable<ListedPrice> Of(PriceBook book, DateTimeOffset at, string? pattern) =>
        book.OperatorRows.Select(row => new ListedPrice(row, IsOwn: true, StateOf(book, row, isOwn: true, at)))
            .Concat(BuiltInPrices.Rows.Select(row => new ListedPrice(row, IsOwn: false, StateOf(book, row, isOwn: false, at))))
            .Where(listed => pattern is null || ModelGlob.Matches(pattern, listed.Row.Model) || (ModelGlob.IsGlob(listed.Row.Model) && ModelGlob.Matches(listed.Row.Model, pattern)));

    private static PriceState StateOf(PriceBook book, PriceRow row, bool isOwn, DateTimeOffset at)
    {
        if (row.EffectiveFrom > at)
        {
            return PriceState.NotYet;
        }

        if (ModelGlob.IsGlob(row.Model))
        {
            return book.OperatorRows.Any(other => other.Model == row.Model && other.EffectiveFrom <= at && other.EffectiveFrom > (row.EffectiveFrom ?? DateTimeOffset.MinValue))
                ? PriceState.Replaced
                : PriceState.InForce;
        }

        return book.Match(row.Model, at) is not { } match || ReferenceEquals(match.Row, row) ? PriceState.InForce
            : !isOwn && match.Rule <= PriceRule.OwnGlob ? PriceState.Overridden
            : PriceState.Replaced;
    }
}
