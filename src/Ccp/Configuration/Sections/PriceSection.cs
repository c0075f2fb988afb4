using System.Globalization;
using Ccp.Pricing;

namespace Ccp.Configuration.Sections;

/// <summary><c>[[price]]</c>: rows that come before the built-in price book.</summary>
internal static class PriceSection
{
    /// <summary>USD per million tokens, and far above any price there is: beyond it a charge could leave the range money is counted in.</summary>
    private const long PriceMax = 1_000_000;

    private const string Dollars = "dollars per million tokens";

    public static IReadOnlyList<PriceRow> Read(IReadOnlyList<ConfigTable> tables, string fileName)
    {
        var rows = new List<PriceRow>();
        var linesOf = new Dictionary<string, int>();
        foreach (var table in tables)
        {
            table.Require("model");
            var model = table.Text("model");
            if (model is not null && !Names.IsModel(model))
            {
                table.Refuse("model", "expected a model's id, or a pattern such as \"claude-haiku-*\"");
            }

            var from = table.Moment("effective_from");
            if (model is not null)
            {
                var day = from?.ToString("O", CultureInfo.InvariantCulture);
                Names.EnterOnce(table, "model", $"{model} {day}", "a price of this model from the same day", linesOf);
            }

            var prices = ReadPrices(table);
            rows.Add(new PriceRow(
                model ?? "",
                prices,
                ReadTier(table, prices),
                ReadFast(table),
                table.Decimal("web_search_per_1000", "dollars", PriceMax)?.ToUsd() ?? 10m,
                table.Decimal("us_geo_factor", "a factor", 1000)?.ToUsd() ?? PriceBook.UsGeoFactorOf(model ?? "") ?? 1.1m,
                from,
                AsOf: DateOnly.MinValue,
                Source: $"{fileName}:{table.At.Line}"));
            table.RefuseUnknown();
        }

        return rows;
    }

    /// <summary>Input and output must be stated; what is left out of the cache is dear rather than free.</summary>
    private static TokenPrices ReadPrices(ConfigTable table)
    {
        table.Require("input");
        table.Require("output");
        var input = Price(table, "input") ?? 0;
        return new TokenPrices(
            input,

            // Anthropic's published ratios for writing to the cache. Reading at the full price is an overcharge that somebody
            // will notice; at no price it would be a loss that nobody does.
            Price(table, "cache_write_5m") ?? input * 1.25m,
            Price(table, "cache_write_1h") ?? input * 2,
            Price(table, "cache_read") ?? input,
            Price(table, "output") ?? 0);
    }

    private static PromptTier? ReadTier(ConfigTable row, TokenPrices usual)
    {
        if (row.Table("above") is not { } table)
        {
            return null;
        }

        table.Require("prompt_tokens");
        var tier = new PromptTier(
            table.WholeNumber("prompt_tokens", 1, long.MaxValue) ?? 0,
            new TokenPrices(
                Price(table, "input") ?? usual.Input,
                Price(table, "cache_write_5m") ?? usual.CacheWrite5m,
                Price(table, "cache_write_1h") ?? usual.CacheWrite1h,
                Price(table, "cache_read") ?? usual.CacheRead,
                Price(table, "output") ?? usual.Output));
        table.RefuseUnknown();
        return tier;
    }

    private static TokenPrices? ReadFast(ConfigTable row)
    {
        if (row.Table("fast") is not { } table)
        {
            return null;
        }

        var prices = ReadPrices(table);
        table.RefuseUnknown();
        return prices;
    }

    private static decimal? Price(ConfigTable table, string key) => table.Decimal(key, Dollars, PriceMax)?.ToUsd();
}
