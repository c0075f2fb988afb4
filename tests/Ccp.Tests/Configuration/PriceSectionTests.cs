using System.Globalization;
using Ccp.Pricing;

namespace Ccp.Tests.Configuration;

public sealed class PriceSectionTests
{
    private const string Row = "[[price]]\nmodel = 'm-*'\ninput = 3\noutput = 15\n";

    [Fact]
    public void A_cache_price_left_out_is_never_free()
    {
        var row = Read(Row);

        Assert.Equal(new TokenPrices(3m, 3.75m, 6m, 3m, 15m), row.Prices);
        Assert.Equal((null, null, 10m, 1.1m), (row.Above, row.Fast, row.WebSearchPer1000, row.UsGeoFactor));
        Assert.Equal("config.toml:1", row.Source);
    }

    [Theory]
    [InlineData("claude-haiku-4-5*", "1")]
    [InlineData("claude-haiku-4-5", "1")]
    [InlineData("claude-haiku-4-5-20251001", "1")]
    [InlineData("claude-haiku-4-5-*", "1")]
    [InlineData("glm-*", "1")]
    [InlineData("claude-sonnet-4-6", "1.1")]
    [InlineData("claude-haiku-*", "1.1")]
    [InlineData("claude-opus-4-*", "1.1")]
    [InlineData("*", "1.1")]
    [InlineData("house-model", "1.1")]
    [InlineData("claude-haiku-4", "1.1")]
    public void The_region_costs_more_where_the_built_in_book_says_so_and_for_models_that_it_does_not_know(string model, string factor)
    {
        Assert.Equal(decimal.Parse(factor, CultureInfo.InvariantCulture), Read(Row.Replace("m-*", model, StringComparison.Ordinal)).UsGeoFactor);
        Assert.Equal(1.3m, Read(Row.Replace("m-*", model, StringComparison.Ordinal) + "us_geo_factor = 1.3").UsGeoFactor);
    }

    [Theory]
    [InlineData("")]
    [InlineData("effective_from = 2026-10-01")]
    public void A_row_of_the_operator_s_is_its_own_source_and_was_read_on_no_day(string from)
    {
        Assert.Equal(DateOnly.MinValue, Read(Row + from).AsOf);
    }

    [Fact]
    public void A_tier_takes_from_its_row_what_it_leaves_out()
    {
        var row = Read(Row + "cache_read = 0.30\nabove = { prompt_tokens = 200_000, input = 6, output = '22.50' }");

        Assert.Equal(new PromptTier(200_000, new TokenPrices(6m, 3.75m, 6m, 0.3m, 22.5m)), row.Above);
    }

    [Fact]
    public void The_fast_mode_states_its_own_input_and_output()
    {
        Assert.Equal(new TokenPrices(6m, 7.5m, 12m, 1m, 30m), Read(Row + "fast = { input = 6, output = 30, cache_read = 1 }").Fast);
        Assert.Equal("config.toml:5:8: price.fast: output is missing", Configured.Problem(Row + "fast = { input = 6 }"));
    }

    [Fact]
    public void Zero_is_a_price_and_less_is_not()
    {
        Assert.Equal(0m, Read(Row + "cache_read = 0").Prices.CacheRead);
        Assert.StartsWith("config.toml:5:14: price.cache_read: expected dollars per million tokens", Configured.Problem(Row + "cache_read = -1"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-10-01", "2026-10-01T00:00:00+00:00")]
    [InlineData("2026-10-01T08:00:00", "2026-10-01T08:00:00+00:00")]
    [InlineData("2026-10-01T08:00:00+02:00", "2026-10-01T06:00:00+00:00")]
    public void A_price_holds_from_a_moment_in_utc(string written, string moment)
    {
        Assert.Equal(DateTimeOffset.Parse(moment, null), Read(Row + "effective_from = " + written).EffectiveFrom);
    }

    [Theory]
    [InlineData("'2026-10-01'")]
    [InlineData("08:00:00")]
    [InlineData("0001-01-01T00:00:00+23:00")]
    public void A_start_that_is_no_moment_is_refused(string written)
    {
        Assert.StartsWith("config.toml:5:18: price.effective_from: expected", Configured.Problem(Row + "effective_from = " + written), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_has_one_price_from_any_one_day()
    {
        Assert.Contains("already on line 2", Configured.Problem(Row + Row), StringComparison.Ordinal);
        Assert.Equal(2, Configured.Good(Row + Row + "effective_from = 2026-10-01").Prices.Count);
    }

    [Fact]
    public void Input_and_output_cannot_be_left_out()
    {
        Assert.Equal(
            ["config.toml:1:1: price: model is missing", "config.toml:1:1: price: input is missing", "config.toml:1:1: price: output is missing"],
            Configured.Problems("[[price]]"));
    }

    private static PriceRow Read(string toml) => Configured.Good(toml).Prices.Single();
}
