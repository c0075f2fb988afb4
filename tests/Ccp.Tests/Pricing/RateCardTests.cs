using System.Numerics;
using Ccp.Pricing;

namespace Ccp.Tests.Pricing;

public sealed class RateCardTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_ordinary_call_costs_its_tokens_and_is_charged_with_the_markup()
    {
        // 2679 × 2 + 3 × 10 USD per million: 5 388 micro-dollars.
        var charge = Card("claude-sonnet-5-5").Price(Usage(input: 2679, output: 3), "claude-sonnet-5-5");

        Assert.Equal(new Charge(new NanoUsd(5_388_000), new NanoUsd(10_776_000), "claude-sonnet-5-5"), charge);
    }

    [Fact]
    public void A_charge_is_rounded_up_once_and_from_the_unrounded_sum()
    {
        // One token at 0.125 × 1.1 USD per million is 137.5 nano-dollars; twice that is 275, not twice 138.
        var usage = MeteredUsage.Of(new TokenUsage(0, 1, 0, 0, 0)) with { InferenceGeo = "us" };

        Assert.Equal((138, 275), Nanos(Card("claude-haiku-5-5").Price(usage, null)));

        // Two classes of half a nano-dollar each make one, not two.
        var row = new PriceRow("x", new TokenPrices(0.0005m, 0, 0, 0.0005m, 0), null, null, 0, 1, null, default, "");
        Assert.Equal((1, 1), Nanos(new RateCard("x", row, 1m, PriceBook.BuiltIn, Now, false).Price(MeteredUsage.Of(new(1, 0, 0, 1, 0)), null)));
        Assert.Equal((1, 1), Nanos(new RateCard("x", row, 1m, PriceBook.BuiltIn, Now, false).Price(MeteredUsage.Of(new(1, 0, 0, 0, 0)), null)));
        Assert.Equal((0, 0), Nanos(new RateCard("x", row, 1m, PriceBook.BuiltIn, Now, false).Price(MeteredUsage.Nothing, null)));
    }

    [Theory]
    [InlineData(100_000, 0, 0, 0, 10_000_000 + 50_000)]
    [InlineData(100_001, 0, 0, 0, 50_000_500 + 250_000)]
    [InlineData(0, 0, 0, 100_000, 1_000_000 + 50_000)]
    [InlineData(1, 0, 0, 100_000, 500 + 5_000_000 + 250_000)]
    [InlineData(1, 20_000, 30_000, 49_999, 100 + 2_500_000 + 6_000_000 + 499_990 + 50_000)]
    [InlineData(1, 20_000, 30_000, 50_000, 500 + 12_500_000 + 30_000_000 + 2_500_000 + 250_000)]
    public void A_prompt_above_the_limit_reprices_the_whole_request(long input, long fiveMinutes, long oneHour, long read, long nanos)
    {
        var usage = new TokenUsage(input, fiveMinutes, oneHour, read, 100);

        Assert.Equal((nanos, 2 * nanos), Nanos(Card("claude-haiku-5-5").Price(MeteredUsage.Of(usage), null)));
        Assert.Equal(2 * nanos, Card("claude-haiku-5-5").RunningAmount(usage, default).Value);
    }

    [Theory]
    [InlineData(null, null, null, 0, 7_500_000)]
    [InlineData("standard", "global", "standard", 0, 7_500_000)]
    [InlineData("batch", null, null, 0, 3_750_000)]
    [InlineData(null, "us", null, 0, 8_250_000)]
    [InlineData(null, null, "fast", 0, 15_000_000)]
    [InlineData("batch", "us", "fast", 0, 8_250_000)]
    [InlineData(null, null, null, 3, 37_500_000)]
    [InlineData("batch", "us", null, 3, 34_125_000)]
    public void Modifiers_are_on_tokens_and_searches_have_a_price_of_their_own(string? tier, string? geo, string? speed, long searches, long nanos)
    {
        var usage = new MeteredUsage(new TokenUsage(1000, 0, 0, 0, 100), [], searches, tier, geo, speed);

        Assert.Equal(nanos, Card("claude-opus-5").Price(usage, null).Cost.Value);
    }

    [Theory]
    [InlineData(null, null, 7_500)]
    [InlineData("us", null, 8_250)]
    [InlineData(null, "fast", 15_000)]
    [InlineData("us", "fast", 16_500)]
    public void A_call_in_flight_comes_to_what_it_would_be_charged(string? geo, string? speed, long micro)
    {
        var usage = Usage(1000, 100) with { InferenceGeo = geo, Speed = speed };

        Assert.Equal(2_000 * micro, Card("claude-opus-5").RunningAmount(usage.Tokens, usage.Terms).Value);
        Assert.Equal(2_000 * micro, Card("claude-opus-5").Price(usage, null).Amount.Value);
    }

    [Theory]
    // asked | reported | assumed
    [InlineData(null, null, null, null, null, null)]
    [InlineData("us", "fast", null, null, "us", "fast")]
    [InlineData("us", "fast", "global", null, "global", "fast")]
    [InlineData("us", "fast", "global", "standard", "global", "standard")]
    [InlineData(null, null, "us", "fast", "us", "fast")]
    public void What_was_asked_for_stands_until_the_provider_says_otherwise(string? askedGeo, string? askedSpeed, string? geo, string? speed, string? assumedGeo, string? assumedSpeed)
    {
        var assumed = Card("claude-opus-5").Assume(new TokenUsage { Output = 1 }, new PriceTerms(geo, speed), new PriceTerms(askedGeo, askedSpeed));

        Assert.Equal(new PriceTerms(assumedGeo, assumedSpeed), assumed);
    }

    [Fact]
    public void What_was_asked_for_stands_only_where_it_is_the_dearer()
    {
        var row = Card("claude-opus-5").Row;
        var card = Card("claude-opus-5") with { Row = row with { Fast = new(1, 1, 1, 1, 1), UsGeoFactor = 0.5m } };

        Assert.Equal(default, card.Assume(new TokenUsage { Output = 1 }, default, new PriceTerms("us", "fast")));
        Assert.Equal(default, Card("claude-haiku-4-5").Assume(new TokenUsage { Output = 1 }, default, new PriceTerms("us", "fast")));
    }

    [Theory]
    // A thousand written to the cache for an hour and a hundred of output, twice; 1.1 times in the US.
    [InlineData("claude-opus-5-5", null, 2_200 * (8_000 + 2_000))]
    [InlineData("claude-opus-5-5", "fast", 2_200 * (16_000 + 4_000))]
    [InlineData("claude-sonnet-4-5", "fast", 2_000 * (6_000 + 1_500))]
    public void The_worst_is_the_dearest_prompt_at_what_was_asked_for_in_the_dearest_place(string model, string? speed, long nanos)
    {
        Assert.Equal(nanos, Card(model).WorstAmount(1000, 3200, 100, new PriceTerms(null, speed)).Value);
    }

    [Theory]
    [InlineData(9, 1, 1, 1)]
    [InlineData(1, 9, 1, 1)]
    [InlineData(1, 1, 9, 1)]
    [InlineData(1, 1, 1, 9)]
    public void The_worst_prompt_is_of_the_class_that_the_row_makes_the_dearest(int input, int fiveMinutes, int oneHour, int read)
    {
        var card = Card("claude-haiku-4-5") with { Row = Card("claude-haiku-4-5").Row with { Prices = new(input, fiveMinutes, oneHour, read, 0) } };

        Assert.Equal(9 * 2_000 * 1_000, card.WorstAmount(1_000, 3_200, 0, default).Value);
    }

    [Theory]
    [InlineData(3, 9, 9, 9)]
    [InlineData(9, 3, 9, 9)]
    [InlineData(9, 9, 3, 9)]
    [InlineData(9, 9, 9, 3)]
    public void The_least_is_the_prompt_in_the_class_tier_and_place_that_the_row_makes_the_cheapest(int input, int fiveMinutes, int oneHour, int read)
    {
        var cheap = new TokenPrices(input, fiveMinutes, oneHour, read, 50);
        var dear = new TokenPrices(10, 10, 10, 10, 50);
        var row = Card("claude-haiku-4-5").Row;
        var card = Card("claude-haiku-4-5");

        Assert.Equal(3 * 2_000 * 1_000, (card with { Row = row with { Prices = cheap, Above = new PromptTier(5, dear), Fast = dear } }).LeastAmount(1_000).Value);
        Assert.Equal(3 * 2_000 * 1_000, (card with { Row = row with { Prices = dear, Above = new PromptTier(5, cheap) } }).LeastAmount(1_000).Value);
        Assert.Equal(3 * 2_000 * 1_000, (card with { Row = row with { Prices = dear, Fast = cheap, UsGeoFactor = 1.1m } }).LeastAmount(1_000).Value);
        Assert.Equal(3 * 1_000 * 1_000, (card with { Row = row with { Prices = cheap, UsGeoFactor = 0.5m } }).LeastAmount(1_000).Value);
    }

    [Fact]
    public void The_least_of_a_model_that_costs_nothing_is_nothing() => Assert.Equal(0, (Card("claude-haiku-4-5") with { Markup = 0 }).LeastAmount(1_000_000).Value);

    [Fact]
    public void The_worst_is_above_the_limit_where_the_prompt_may_be()
    {
        var card = Card("claude-haiku-5-5");

        Assert.Equal(2_200 * 100_000 / 5, card.WorstAmount(100_000, 100_000, 0, default).Value);
        Assert.Equal(2_200 * 100_000, card.WorstAmount(100_000, 100_001, 0, default).Value);
    }

    [Fact]
    public void A_fast_answer_of_a_model_without_a_fast_row_costs_the_standard_price()
    {
        Assert.Equal(3_000_000, Card("claude-sonnet-5-5").Price(Usage(1000, 100) with { Speed = "fast" }, null).Cost.Value);
    }

    [Fact]
    public void Data_residency_is_free_on_models_before_4_6()
    {
        Assert.Equal(1_500_000, Card("claude-haiku-4-5").Price(Usage(1000, 100) with { InferenceGeo = "us" }, null).Cost.Value);
    }

    [Theory]
    [InlineData("claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-5-5", 6_000_000)]
    [InlineData("claude-sonnet-5-5", "claude-opus-5-5", "claude-opus-5-5", 6_000_000)]
    [InlineData("claude-sonnet-5-5", "claude-sonnet-5-5-20260901", "claude-sonnet-5-5", 3_000_000)]
    [InlineData("claude-sonnet-5-5", "somebody-else", "claude-sonnet-5-5", 3_000_000)]
    [InlineData("claude-sonnet-5-5", null, "claude-sonnet-5-5", 3_000_000)]
    public void The_dearer_of_the_asked_and_the_answering_model_is_charged(string asked, string? answered, string pricedAs, long nanos)
    {
        var charge = Card(asked).Price(Usage(1000, 100), answered);

        Assert.Equal((pricedAs, nanos), (charge.PricedAs, charge.Cost.Value));
    }

    [Fact]
    public void A_lane_that_prices_as_another_model_does_not_care_who_answers()
    {
        var card = Card("glm-4.5-air") with { IsFixed = true };
        var passes = new UsageIteration[] { new("claude-opus-5", new(1000, 0, 0, 0, 100)) };

        Assert.Equal(310_000, card.Price(Usage(1000, 100), "claude-opus-5").Cost.Value);
        Assert.Equal(310_000, card.Price(Usage(1000, 100) with { Iterations = passes }, "claude-opus-5").Cost.Value);
    }

    [Fact]
    public void Iterations_are_priced_each_at_its_own_model_and_tier()
    {
        var usage = new MeteredUsage(
            new TokenUsage(1, 1, 1, 1, 1),
            [
                new(null, new(60_000, 0, 0, 0, 10)),
                new("claude-haiku-5-5-20260901", new(60_000, 0, 0, 0, 10)),
                new("claude-haiku-5-5", new(100_001, 0, 0, 0, 10)),
                new("claude-opus-5-5", new(100, 0, 0, 0, 10)),
                new("somebody-else", new(0, 0, 0, 0, 10)),
            ]);

        // 2 × (6 000 000 + 5 000), then 50 000 500 + 25 000, then 400 000 + 200 000, then 5 000.
        Assert.Equal(12_010_000 + 50_025_500 + 600_000 + 5_000, Card("claude-haiku-5-5").Price(usage, null).Cost.Value);
    }

    [Fact]
    public void Iterations_without_a_model_are_charged_at_the_dearer_of_asked_and_answering()
    {
        var usage = MeteredUsage.Nothing with { Iterations = [new(null, new(1000, 0, 0, 0, 100))] };

        Assert.Equal((6_000_000, "claude-opus-5-5"), Card("claude-sonnet-5-5").Price(usage, "claude-opus-5-5") is var charge
            ? (charge.Cost.Value, charge.PricedAs)
            : default);
    }

    [Fact]
    public void The_largest_reading_there_can_be_has_a_price()
    {
        const long Max = 10_000_000;
        var tokens = new TokenUsage(Max, 2 * Max, Max, Max, Max);
        var passes = Enumerable.Repeat(new UsageIteration(null, tokens), 1000).ToArray();
        var usage = new MeteredUsage(tokens, passes, Max, null, "us", "fast");

        Assert.All(BuiltInPrices.Rows, row =>
        {
            var card = new RateCard(row.Model, row, 100m, PriceBook.BuiltIn, Now, false);
            Assert.True(card.Price(usage, null).Amount > NanoUsd.Zero);
            Assert.True(card.RunningAmount(tokens, new PriceTerms("us", "fast")) > NanoUsd.Zero);
        });
    }

    /// <summary>
    /// Goal: a charge is the exact product, rounded up once.
    /// Method: seeded usages, rows, modifiers and markups against whole-number arithmetic that has no rounding in it anywhere.
    /// </summary>
    [Fact]
    public void A_charge_is_the_exact_product_rounded_up()
    {
        var random = new Random(5);
        for (var round = 0; round < 20_000; round++)
        {
            var row = BuiltInPrices.Rows[random.Next(BuiltInPrices.Rows.Count)];
            var tokens = new TokenUsage(Count(random), Count(random), Count(random), Count(random), Count(random));
            var usage = new MeteredUsage(tokens, [], random.Next(3), random.Next(2) == 0 ? "batch" : null, random.Next(2) == 0 ? "us" : null);
            var markup = random.Next(1, 50_000) / 10_000m;
            var card = new RateCard(row.Model, row, markup, PriceBook.BuiltIn, Now, false);

            var prices = tokens.Prompt > row.Above?.PromptTokens ? row.Above.Prices : row.Prices;
            var micro = (Whole(prices.Input) * tokens.Input) + (Whole(prices.CacheWrite5m) * tokens.CacheWrite5m)
                + (Whole(prices.CacheWrite1h) * tokens.CacheWrite1h) + (Whole(prices.CacheRead) * tokens.CacheRead) + (Whole(prices.Output) * tokens.Output);
            micro *= usage.InferenceGeo is null ? 20 : Whole(row.UsGeoFactor) * 20 / 1_000_000;
            micro = usage.ServiceTier is null ? micro : micro / 2;
            micro += Whole(row.WebSearchPer1000) * usage.WebSearches * 1_000 * 20;
            var cost = Ceiling(micro * 1_000, (BigInteger)20 * 1_000_000);
            var amount = Ceiling(micro * Whole(markup) * 1_000, (BigInteger)20 * 1_000_000 * 1_000_000);

            var charge = card.Price(usage, null);
            Assert.Equal((cost, amount), ((BigInteger)charge.Cost.Value, (BigInteger)charge.Amount.Value));
            if (usage is { ServiceTier: null, WebSearches: 0 })
            {
                Assert.Equal(charge.Amount, card.RunningAmount(tokens, usage.Terms));
            }
        }
    }

    [Fact]
    public void A_running_amount_allocates_nothing()
    {
        var card = Card("claude-opus-5-5");
        var tokens = new TokenUsage(1000, 200, 30, 100_000, 7);
        var asked = new PriceTerms("us", "fast");
        _ = card.RunningAmount(tokens, card.Assume(tokens, default, asked));

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1000; round++)
        {
            _ = card.RunningAmount(tokens, card.Assume(tokens, default, asked));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Only_a_price_of_zero_everywhere_or_no_markup_at_all_is_free()
    {
        var zero = new TokenPrices(0, 0, 0, 0, 0);
        var free = new PriceRow("x", zero, null, null, 0, 1, null, default, "");
        RateCard CardOf(PriceRow row) => new("x", row, 2m, PriceBook.BuiltIn, Now, false);

        Assert.True(CardOf(free).IsFree);
        Assert.True((Card("claude-opus-5") with { Markup = 0 }).IsFree);
        Assert.False(Card("claude-opus-5").IsFree);
        Assert.False(CardOf(free with { WebSearchPer1000 = 1 }).IsFree);
        Assert.False(CardOf(free with { Fast = zero with { Output = 1 } }).IsFree);
        Assert.False(CardOf(free with { Above = new(1, zero with { CacheRead = 1 }) }).IsFree);
    }

    [Theory]
    [InlineData("claude-haiku-5-5")]
    [InlineData("claude-opus-5-5")]
    [InlineData("claude-sonnet-5-5")]
    [InlineData("glm-5")]
    public void A_stored_card_reads_back_as_it_was(string model)
    {
        var card = Card(model) with { Markup = 1.35m, IsFixed = model == "glm-5" };

        Assert.Equal(card, RateCardJson.TryRead(card.ToJson(), PriceBook.BuiltIn));
    }

    [Fact]
    public void A_stored_card_is_compact_json_with_all_that_decides_a_price()
    {
        Assert.Equal(
            """{"model":"claude-opus-5-5","row":"claude-opus-5-5","as_of":"2026-10-31","source":"Anthropic pricing and model pages; agrees with the table in Claude Code 2.1.330","effective_from":null,"input":4,"cache_write_5m":5,"cache_write_1h":8,"cache_read":0.20,"output":20,"above":null,"fast":{"input":8,"cache_write_5m":10,"cache_write_1h":16,"cache_read":0.40,"output":40},"web_search_per_1000":10,"us_geo_factor":1.1,"batch_factor":0.5,"markup":2,"admitted_at":"2026-11-22T00:00:00+00:00","fixed":false}""",
            Card("claude-opus-5-5").ToJson());
    }

    [Fact]
    public void A_stored_card_keeps_its_prices_when_the_book_has_changed()
    {
        var stored = Card("claude-opus-5-5").ToJson();
        var dearer = PriceBook.With([Card("claude-opus-5-5").Row with { Prices = new(400, 500, 800, 20, 2000) }]);

        Assert.Equal(6_000_000, RateCardJson.TryRead(stored, dearer)!.Price(Usage(1000, 100), "claude-opus-5-5-20260901").Cost.Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"model":1}""")]
    [InlineData("""{"model":"x","row":"x","as_of":"soon","source":"","effective_from":null}""")]
    public void Text_that_is_no_card_is_none(string text)
    {
        Assert.Null(RateCardJson.TryRead(text, PriceBook.BuiltIn));
    }

    private static RateCard Card(string model) => new(model, PriceBook.BuiltIn.Find(model, Now)!, 2m, PriceBook.BuiltIn, Now, IsFixed: false);

    private static MeteredUsage Usage(long input, long output) => MeteredUsage.Of(new TokenUsage(input, 0, 0, 0, output));

    private static (long Cost, long Amount) Nanos(Charge charge) => (charge.Cost.Value, charge.Amount.Value);

    private static long Count(Random random) => random.NextInt64((long)BigInteger.Pow(10, random.Next(1, 8)));

    private static BigInteger Whole(decimal price) => (BigInteger)(price * 1_000_000);

    private static BigInteger Ceiling(BigInteger value, BigInteger divisor) => (value + divisor - 1) / divisor;
}
