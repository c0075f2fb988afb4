namespace Ccp.Pricing;

/// <summary>Takes a charge apart into lines, by the very rules of <see cref="RateCard.Price"/>.</summary>
/// <remarks>
/// Lines are exact as long as <c>decimal</c> can hold them, which it can for prices of up to nine digits; beyond, a line is cut (never rounded up) to the
/// digits that leave their sum exact, and the last line takes what was cut.
/// </remarks>
internal static class Itemization
{
    private const int PerMillion = 1_000_000;
    private const int PerThousand = 1_000;

    /// <summary>Digits that <c>decimal</c> holds for certain.</summary>
    private const int SignificantDigits = 28;

    public static ItemizedCharge Of(RateCard card, MeteredUsage usage, string? answeredModel)
    {
        var charge = card.Price(usage, answeredModel);
        var charged = card.RowCharged(usage, answeredModel);
        var places = PlacesFor(charge.Amount.ToUsd());
        var lines = new List<ChargeLine>();
        var rows = new List<PriceRow>();
        if (usage.Iterations.Count == 0)
        {
            AddTokens(usage.Tokens, charged, pass: null);
        }

        for (var pass = 0; pass < usage.Iterations.Count; pass++)
        {
            AddTokens(usage.Iterations[pass].Tokens, card.RowOfPass(usage.Iterations[pass], charged), pass + 1);
        }

        if (usage.WebSearches != 0)
        {
            Note(charged);
            lines.Add(new ChargeLine(
                "web_searches", null, charged.Model, null, usage.WebSearches, charged.WebSearchPer1000, PerThousand, null, null, card.Markup,
                Cut(usage.WebSearches * charged.WebSearchPer1000 * card.Markup / PerThousand, places)));
        }

        var rest = charge.Amount.ToUsd() - lines.Sum(line => line.Usd);
        if (rest != 0)
        {
            lines.Add(ChargeLine.Plain(ChargeLine.RoundingUp, Short(rest)));
        }

        return new ItemizedCharge(charge, lines, rows);

        void AddTokens(in TokenUsage tokens, PriceRow row, int? pass)
        {
            Note(row);
            var prices = row.For(usage.Terms, tokens.Prompt);
            var basis = row.IsFast(usage.Terms) ? "fast" : ReferenceEquals(prices, row.Prices) ? "standard" : "above";
            Add("input", tokens.Input, prices.Input);
            Add("cache_write_5m", tokens.CacheWrite5m, prices.CacheWrite5m);
            Add("cache_write_1h", tokens.CacheWrite1h, prices.CacheWrite1h);
            Add("cache_read", tokens.CacheRead, prices.CacheRead);
            Add("output", tokens.Output, prices.Output);

            void Add(string item, long count, decimal price)
            {
                if (count != 0)
                {
                    var (geo, batch) = (row.GeoFactorOf(usage.Terms), RateCard.BatchFactorOf(usage));
                    var usd = Cut(price * count * geo * batch * card.Markup / PerMillion, places);
                    lines.Add(new ChargeLine(item, pass, row.Model, basis, count, price, PerMillion, geo, batch, card.Markup, usd));
                }
            }
        }

        void Note(PriceRow row)
        {
            if (!rows.Contains(row))
            {
                rows.Add(row);
            }
        }
    }

    /// <summary>How many decimals amounts up to this one may have so that adding them loses none.</summary>
    private static int PlacesFor(decimal usd)
    {
        // One digit to spare, for sums that are a little more than the amount while it is being added up.
        var places = SignificantDigits - 2;
        for (var whole = decimal.Truncate(usd); whole > 0; whole = decimal.Truncate(whole / 10))
        {
            places--;
        }

        return places;
    }

    private static decimal Cut(decimal usd, int places) => Short(decimal.Round(usd, places, MidpointRounding.ToZero));

    /// <summary>The same number without zeros at its end.</summary>
    private static decimal Short(decimal usd) => usd / 1.0000000000000000000000000000m;
}
