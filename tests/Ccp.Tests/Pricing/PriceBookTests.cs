using System.Globalization;
using Ccp.Pricing;

namespace Ccp.Tests.Pricing;

public sealed class PriceBookTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    /// <summary>1001 input, 2003 and 3001 written to the cache, 50021 read from it, 419 output; the charges were computed by hand.</summary>
    [Theory]
    [InlineData("claude-fable-5-2", "8 10 16 0.20 40", 102_818_200)]
    [InlineData("claude-mythos-5-2", "8 10 16 0.20 40", 102_818_200)]
    [InlineData("claude-fable-5-1", "10 12.50 20 0.25 50", 128_522_750)]
    [InlineData("claude-mythos-5-1", "10 12.50 20 0.25 50", 128_522_750)]
    [InlineData("claude-fable-5", "10 12.50 20 1.00 50", 166_038_500)]
    [InlineData("claude-mythos-5", "10 12.50 20 1.00 50", 166_038_500)]
    [InlineData("claude-opus-5-5", "4 5 8 0.20 20", 56_411_200)]
    [InlineData("claude-opus-5", "5 6.25 10 0.50 25", 83_019_250)]
    [InlineData("claude-opus-4-8", "5 6.25 10 0.50 25", 83_019_250)]
    [InlineData("claude-opus-4-7", "5 6.25 10 0.50 25", 83_019_250)]
    [InlineData("claude-opus-4-6", "5 6.25 10 0.50 25", 83_019_250)]
    [InlineData("claude-opus-4-5", "5 6.25 10 0.50 25", 83_019_250)]
    [InlineData("claude-opus-4-1", "15 18.75 30 1.50 75", 249_057_750)]
    [InlineData("claude-opus-4-0", "15 18.75 30 1.50 75", 249_057_750)]
    [InlineData("claude-opus-4", "15 18.75 30 1.50 75", 249_057_750)]
    [InlineData("claude-sonnet-5-5", "2 2.50 4 0.10 10", 28_205_600)]
    [InlineData("claude-sonnet-5", "2 2.50 4 0.20 10", 33_207_700)]
    [InlineData("claude-sonnet-4-6", "3 3.75 6 0.30 15", 49_811_550)]
    [InlineData("claude-sonnet-4-5", "3 3.75 6 0.30 15", 49_811_550)]
    [InlineData("claude-sonnet-4", "3 3.75 6 0.30 15", 49_811_550)]
    [InlineData("claude-3-7-sonnet", "3 3.75 6 0.30 15", 49_811_550)]
    [InlineData("claude-3-5-sonnet", "3 3.75 6 0.30 15", 49_811_550)]
    [InlineData("claude-haiku-5-5", "0.10 0.125 0.20 0.01 0.50", 1_660_385)]
    [InlineData("claude-haiku-4-5", "1 1.25 2 0.10 5", 16_603_850)]
    [InlineData("claude-3-5-haiku", "0.80 1 1.60 0.08 4", 13_283_080)]
    [InlineData("glm-5.3", "1.40 1.40 1.40 0.26 4.40", 23_256_060)]
    [InlineData("glm-5.2", "1.40 1.40 1.40 0.26 4.40", 23_256_060)]
    [InlineData("glm-5.3-flash", "0.15 0.15 0.15 0.03 0.50", 2_610_880)]
    [InlineData("glm-5", "1.00 1.00 1.00 0.20 3.20", 17_350_000)]
    [InlineData("glm-4.7", "0.60 0.60 0.60 0.11 2.20", 10_027_110)]
    [InlineData("glm-4.6", "0.60 0.60 0.60 0.11 2.20", 10_027_110)]
    [InlineData("glm-4.5", "0.60 0.60 0.60 0.11 2.20", 10_027_110)]
    [InlineData("glm-4.5-air", "0.20 0.20 0.20 0.03 1.10", 3_162_530)]
    public void Every_model_has_its_published_prices(string model, string prices, long nanos)
    {
        var row = PriceBook.BuiltIn.Find(model, Now);

        Assert.NotNull(row);
        Assert.Equal(model, row.Model);
        Assert.Equal(Prices(prices), row.Prices);
        Assert.Equal(10m, row.WebSearchPer1000);
        Assert.Equal(new NanoUsd(nanos), NanoUsd.CeilingFromMicroUsd(row.Prices.MicroUsdOf(new TokenUsage(1001, 2003, 3001, 50_021, 419))));
    }

    [Fact]
    public void Every_row_says_when_and_where_its_numbers_were_read()
    {
        Assert.Equal(34, BuiltInPrices.Rows.Count);
        Assert.All(BuiltInPrices.Rows, row => Assert.True(row.AsOf.Year == 2026 && row.Source.Length > 10));
        Assert.All(
            BuiltInPrices.Rows.Where(row => row.Model.StartsWith("glm", StringComparison.Ordinal)),
            row => Assert.Contains("assumption", row.Source, StringComparison.Ordinal));
    }

    [Fact]
    public void Only_the_small_haiku_has_a_tier()
    {
        var tiered = Assert.Single(BuiltInPrices.Rows, row => row.Above is not null);

        Assert.Equal("claude-haiku-5-5", tiered.Model);
        Assert.Equal(new PromptTier(100_000, Prices("0.50 0.625 1.00 0.05 2.50")), tiered.Above);
    }

    [Theory]
    [InlineData("claude-opus-5-5", "8 10 16 0.40 40")]
    [InlineData("claude-opus-5", "10 12.50 20 1.00 50")]
    [InlineData("claude-opus-4-8", "10 12.50 20 1.00 50")]
    [InlineData("claude-opus-4-7", null)]
    [InlineData("claude-sonnet-5-5", null)]
    public void Fast_mode_has_rows_of_its_own(string model, string? prices)
    {
        Assert.Equal(prices is null ? null : Prices(prices), PriceBook.BuiltIn.Find(model, Now)!.Fast);
    }

    [Theory]
    [InlineData("claude-fable-5", "1.1")]
    [InlineData("claude-mythos-5-2", "1.1")]
    [InlineData("claude-opus-5-5", "1.1")]
    [InlineData("claude-opus-4-6", "1.1")]
    [InlineData("claude-sonnet-4-6", "1.1")]
    [InlineData("claude-sonnet-5-5", "1.1")]
    [InlineData("claude-haiku-5-5", "1.1")]
    [InlineData("claude-opus-4-5", "1")]
    [InlineData("claude-sonnet-4-5", "1")]
    [InlineData("claude-haiku-4-5", "1")]
    [InlineData("claude-3-5-haiku", "1")]
    [InlineData("glm-5.3", "1")]
    public void Data_residency_costs_more_from_4_6_on(string model, string factor)
    {
        Assert.Equal(decimal.Parse(factor, CultureInfo.InvariantCulture), PriceBook.BuiltIn.Find(model, Now)!.UsGeoFactor);
    }

    [Theory]
    [InlineData("claude-sonnet-4-5-20250929", "claude-sonnet-4-5")]
    [InlineData("claude-opus-4-20250514", "claude-opus-4")]
    [InlineData("claude-3-5-haiku-20241022", "claude-3-5-haiku")]
    [InlineData("claude-3-7-sonnet-latest", "claude-3-7-sonnet")]
    public void A_date_or_latest_names_the_same_model(string model, string row)
    {
        Assert.Equal(row, PriceBook.BuiltIn.Find(model, Now)?.Model);
    }

    [Theory]
    [InlineData("claude-opus-5-50")]
    [InlineData("claude-sonnet-5-5-foo")]
    [InlineData("claude-opus-5-5-5")]
    [InlineData("claude-opus-6")]
    [InlineData("claude-opus")]
    [InlineData("claude-opus-5-")]
    [InlineData("claude-opus-5-latest-latest")]
    [InlineData("claude-opus-5-20260101-latest")]
    [InlineData("claude-opus-5-2026010")]
    [InlineData("claude-opus-5-202601011")]
    [InlineData("claude-opus-5-20261301")]
    [InlineData("claude-opus-5-2026-1-1")]
    [InlineData("claude-opus-5[1m]")]
    [InlineData("Claude-Opus-5")]
    [InlineData(" claude-opus-5")]
    [InlineData("anthropic/claude-opus-5")]
    [InlineData("glm-5.3-flashy")]
    [InlineData("-latest")]
    [InlineData("-20260101")]
    [InlineData("")]
    public void No_other_name_is_priced_by_an_old_models_row(string model)
    {
        Assert.Null(PriceBook.BuiltIn.Find(model, Now));
    }

    [Theory]
    [InlineData("2026-10-06T23:59:59.9999999Z", "0.20")]
    [InlineData("2026-10-07T00:00:00Z", "0.10")]
    [InlineData("2026-10-07T01:59:59+02:00", "0.20")]
    [InlineData("2026-10-06T22:00:00-02:00", "0.10")]
    [InlineData("2020-01-01T00:00:00Z", "0.20")]
    public void A_dated_price_begins_at_midnight_utc(string at, string cacheRead)
    {
        var row = PriceBook.BuiltIn.Find("claude-sonnet-5-5-20260901", DateTimeOffset.Parse(at, CultureInfo.InvariantCulture));

        Assert.Equal(decimal.Parse(cacheRead, CultureInfo.InvariantCulture), row!.Prices.CacheRead);
    }

    [Theory]
    [InlineData("claude-haiku-4-5", "exact")]
    [InlineData("claude-haiku-4-5-20251001", "exact")]
    [InlineData("claude-haiku-4-50", "first glob")]
    [InlineData("claude-haiku-9", "second glob")]
    [InlineData("my-model", "any")]
    [InlineData("claude-opus-5", "built in")]
    [InlineData("your-model", null)]
    public void The_operators_exact_ids_come_first_then_globs_as_written_then_the_built_in_rows(string model, string? source)
    {
        var book = PriceBook.With(
        [
            Row("claude-haiku-4-*", "first glob"),
            Row("claude-haiku-*", "second glob"),
            Row("claude-haiku-4-5", "exact"),
            Row("my-*", "any"),
        ]);

        var found = book.Find(model, Now);
        Assert.Equal(source, found?.Model == "claude-opus-5" ? "built in" : found?.Source);
    }

    [Fact]
    public void Of_an_operators_rows_for_one_model_the_latest_in_force_wins_and_one_to_come_does_not_count()
    {
        var book = PriceBook.With(
        [
            Row("x", "new", Now.AddDays(-1)),
            Row("x", "old", Now.AddDays(-9)),
            Row("x", "always"),
            Row("x", "to come", Now.AddTicks(1)),
            Row("claude-opus-*", "glob to come", Now.AddDays(1)),
        ]);

        Assert.Equal("new", book.Find("x", Now)!.Source);
        Assert.Equal("old", book.Find("x", Now.AddDays(-2))!.Source);
        Assert.Equal("always", book.Find("x", Now.AddDays(-99))!.Source);
        Assert.Equal("claude-opus-5", book.Find("claude-opus-5", Now)!.Model);
        Assert.Equal("glob to come", book.Find("claude-opus-5", Now.AddDays(1))!.Source);
    }

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "abc", true)]
    [InlineData("a*c", "abbc", true)]
    [InlineData("a*c", "ac", true)]
    [InlineData("a*c", "acb", false)]
    [InlineData("*b*d", "abcbcd", true)]
    [InlineData("**a", "a", true)]
    [InlineData("a?c", "abc", false)]
    [InlineData("a.c", "abc", false)]
    [InlineData("A*", "abc", false)]
    [InlineData("abc", "abcd", false)]
    [InlineData("a*b*", "a", false)]
    public void A_star_is_all_a_glob_knows(string pattern, string model, bool fits)
    {
        Assert.Equal(fits, ModelGlob.Matches(pattern, model));
    }

    private static TokenPrices Prices(string text) =>
        text.Split(' ').Select(price => decimal.Parse(price, CultureInfo.InvariantCulture)).ToArray() is [var a, var b, var c, var d, var e]
            ? new TokenPrices(a, b, c, d, e)
            : throw new FormatException(text);

    private static PriceRow Row(string model, string source, DateTimeOffset? from = null) =>
        new(model, new TokenPrices(1, 1, 1, 1, 1), null, null, 0, 1, from, new DateOnly(2026, 1, 1), source);
}
