using Ccp.Pricing;

namespace Ccp.Tests.Pricing;

public sealed class ItemizationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Each_class_of_tokens_has_a_line_and_the_last_one_is_what_the_rounding_added()
    {
        var usage = new MeteredUsage(new TokenUsage(1, 3, 0, 0, 2), [], WebSearches: 1, ServiceTier: "batch", InferenceGeo: "us");

        var receipt = Itemization.Of(Card("claude-haiku-5-5", markup: 1.35m), usage, answeredModel: null);

        // 1 x 0.10, 3 x 0.125 and 2 x 0.50 millionths, each x 1.1 x 0.5 x 1.35; 10 USD / 1000 x 1.35.
        Assert.Equal(
            [("input", 0.00000007425m), ("cache_write_5m", 0.0000002784375m), ("output", 0.0000007425m), ("web_searches", 0.0135m), (ChargeLine.RoundingUp, 0.0000000008125m)],
            receipt.Lines.Select(line => (line.Item, line.Usd)));
        Assert.Equal(new NanoUsd(13_501_096), receipt.Charge.Amount);
        Assert.Equal("0.00000007425", receipt.Lines[0].Usd.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((0.10m, 1_000_000, 1.1m, 0.5m, 1.35m), (receipt.Lines[0].UnitUsd, receipt.Lines[0].Per, receipt.Lines[0].GeoFactor, receipt.Lines[0].BatchFactor, receipt.Lines[0].Markup));
        Assert.Equal("claude-haiku-5-5", Assert.Single(receipt.Rows).Model);
    }

    [Fact]
    public void A_charge_that_needs_no_rounding_has_no_line_for_it()
    {
        var receipt = Itemization.Of(Card("claude-opus-5-5"), MeteredUsage.Of(new TokenUsage(1000, 0, 0, 0, 100)), null);

        Assert.Equal(["input", "output"], receipt.Lines.Select(line => line.Item));
        Assert.Empty(Itemization.Of(Card("claude-opus-5-5"), MeteredUsage.Nothing, null).Lines);
    }

    [Fact]
    public void Passes_are_told_apart_with_the_row_and_the_tier_of_each()
    {
        var usage = MeteredUsage.Nothing with
        {
            Iterations = [new(null, new(60_000, 0, 0, 0, 10)), new("claude-opus-5-5-20260901", new(100, 0, 0, 0, 0)), new("claude-haiku-5-5", new(100_001, 0, 0, 0, 0)), new("nobody", new(0, 0, 0, 0, 7))],
        };

        var receipt = Itemization.Of(Card("claude-haiku-5-5"), usage, null);

        Assert.Equal(
            [(1, "claude-haiku-5-5", "standard"), (1, "claude-haiku-5-5", "standard"), (2, "claude-opus-5-5", "standard"), (3, "claude-haiku-5-5", "above"), (4, "claude-haiku-5-5", "standard")],
            receipt.Lines.Select(line => (line.Pass!.Value, line.Row, line.Basis)));
        Assert.Equal(["claude-haiku-5-5", "claude-opus-5-5"], receipt.Rows.Select(row => row.Model));
    }

    [Fact]
    public void The_lines_of_a_dearer_answering_model_carry_its_row()
    {
        var receipt = Itemization.Of(Card("claude-sonnet-5-5"), MeteredUsage.Of(new TokenUsage(1000, 0, 0, 0, 100)) with { Speed = "fast" }, "claude-opus-5-5");

        Assert.All(receipt.Lines, line => Assert.Equal(("claude-opus-5-5", "fast"), (line.Row, line.Basis)));
    }

    /// <summary>
    /// Goal: a receipt adds up to its charge, digit for digit, whatever was used, and still does when it is written again from what is stored.
    /// Method: seeded usages with passes, searches and modifiers; rows with tiers, dates and up to nine digits; odd markups; any answering model.
    /// </summary>
    [Fact]
    public void The_lines_add_up_to_the_charge_exactly()
    {
        var random = new Random(11);
        var rounded = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var book = PriceBook.With([.. Enumerable.Range(0, random.Next(3)).Select(_ => OddRow(random))]);
            var model = Model(random);
            var card = new RateCard(model, book.Find(model, Now) ?? OddRow(random), random.NextInt64(0, 100_000_000) / 1_000_000m, book, Now, random.Next(8) == 0);
            var usage = Used(random);
            var answered = random.Next(3) == 0 ? null : Model(random);

            var receipt = Itemization.Of(card, usage, answered);

            Assert.Equal(card.Price(usage, answered), receipt.Charge);
            AssertAddsUp(receipt);
            Assert.All(receipt.Lines, line => Assert.True(line.Item != ChargeLine.RoundingUp || (line.Usd > 0 && line.Usd < 0.000_000_001m)));
            rounded += receipt.Lines.Any(line => line.Item == ChargeLine.RoundingUp) ? 1 : 0;

            var stored = RateCardJson.TryRead(card.ToJson(), PriceBook.With([.. BuiltInPrices.Rows.Select(row => row with { Prices = new(1, 2, 3, 4, 5) })]))!;
            var basis = ReceiptBasis.TryRead(ReceiptBasis.Of(card, usage, answered).ToJson(card), stored)!;
            var again = Itemization.Of(basis.Freeze(stored), basis.Usage, answered);
            Assert.Equal(receipt.Lines, again.Lines);
            Assert.Equal(receipt.Charge, again.Charge);
        }

        Assert.InRange(rounded, 1_000, 19_999);
    }

    [Fact]
    public void Even_amounts_and_digits_that_no_call_reaches_add_up()
    {
        const long Max = 10_000_000;
        var tokens = new TokenUsage(Max - 1, Max - 3, Max - 7, Max - 9, Max - 11);
        var row = new PriceRow("x", new TokenPrices(999.999999999m, 99.999999999m, 9.999999999m, 0.123456789m, 0.000000001m), null, null, 10.999999999m, 1.123456789m, null, default, "");
        foreach (var markup in new[] { 0.000000001m, 1.999999999m, 99.999999999m })
        {
            AssertAddsUp(Itemization.Of(new RateCard("x", row, markup, PriceBook.BuiltIn, Now, false), new MeteredUsage(tokens, [], Max, "batch", "us"), null));
        }
    }

    [Fact]
    public void What_is_stored_of_an_ordinary_answer_is_small()
    {
        var card = Card("claude-sonnet-5-5");
        var usage = new MeteredUsage(new TokenUsage(12, 345, 0, 6_789, 10), [], 0, "standard", "global", null);

        Assert.Equal(
            """{"input":12,"cache_write_5m":345,"cache_read":6789,"output":10,"service_tier":"standard","inference_geo":"global","rows":{"claude-sonnet-5-5-20260901":null}}""",
            ReceiptBasis.Of(card, usage, "claude-sonnet-5-5-20260901").ToJson(card));
        Assert.Equal("{}", ReceiptBasis.Of(card, MeteredUsage.Nothing, null).ToJson(card));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"input":"many"}""")]
    [InlineData("""{"rows":{"x":{}}}""")]
    [InlineData("""{"iterations":{}}""")]
    public void Text_that_is_no_basis_is_none(string text)
    {
        Assert.Null(ReceiptBasis.TryRead(text, Card("claude-opus-5-5")));
    }

    private static void AssertAddsUp(ItemizedCharge receipt)
    {
        var sum = 0m;
        foreach (var line in receipt.Lines)
        {
            sum += line.Usd;
        }

        Assert.Equal(receipt.Charge.Amount.ToUsd(), sum);
    }

    private static MeteredUsage Used(Random random) => new(
        Tokens(random),
        [.. Enumerable.Range(0, random.Next(3) == 0 ? random.Next(1, 5) : 0).Select(_ => new UsageIteration(random.Next(2) == 0 ? null : Model(random), Tokens(random)))],
        random.Next(4) == 0 ? random.Next(1, 20) : 0,
        random.Next(3) == 0 ? "batch" : "standard",
        random.Next(3) == 0 ? "us" : null,
        random.Next(3) == 0 ? "fast" : null);

    private static TokenUsage Tokens(Random random) => new(Count(random), Count(random), Count(random), Count(random), Count(random));

    private static long Count(Random random) => random.Next(3) == 0 ? 0 : random.NextInt64((long)Math.Pow(10, random.Next(1, 7)));

    private static string Model(Random random)
    {
        var model = BuiltInPrices.Rows[random.Next(BuiltInPrices.Rows.Count)].Model;
        return random.Next(6) switch { 0 => "nobody-knows-it", 1 => model + "-20260901", 2 => model + "-latest", _ => model };
    }

    private static PriceRow OddRow(Random random) => new(
        random.Next(2) == 0 ? "claude-*" : BuiltInPrices.Rows[random.Next(BuiltInPrices.Rows.Count)].Model,
        OddPrices(random),
        random.Next(2) == 0 ? null : new PromptTier(random.Next(1, 200_000), OddPrices(random)),
        random.Next(2) == 0 ? null : OddPrices(random),
        random.NextInt64(20_000_000_000) / 1_000_000_000m,
        random.Next(100, 200) / 100m,
        random.Next(2) == 0 ? null : Now.AddDays(random.Next(-9, 9)),
        new DateOnly(2026, 11, 1),
        "config.toml:7");

    private static TokenPrices OddPrices(Random random) => new(OddPrice(random), OddPrice(random), OddPrice(random), OddPrice(random), OddPrice(random));

    private static decimal OddPrice(Random random) => random.NextInt64(80_000_000_000) / 1_000_000_000m;

    private static RateCard Card(string model, decimal markup = 2m) => new(model, PriceBook.BuiltIn.Find(model, Now)!, markup, PriceBook.BuiltIn, Now, IsFixed: false);
}
