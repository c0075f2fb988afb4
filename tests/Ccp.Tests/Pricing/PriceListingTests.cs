using Ccp.Pricing;

namespace Ccp.Tests.Pricing;

public sealed class PriceListingTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    private static readonly PriceBook Book = PriceBook.With(
    [
        Row("house"),
        Row("house", Now.AddDays(-1)),
        Row("house", Now.AddDays(1)),
        Row("claude-haiku-*"),
        Row("claude-haiku-*", Now.AddDays(-2)),
        Row("claude-opus-5"),
    ]);

    [Theory]
    [InlineData("house", PriceRule.OwnExact)]
    [InlineData("house-20260901", PriceRule.OwnWithoutDate)]
    [InlineData("claude-haiku-9", PriceRule.OwnGlob)]
    [InlineData("claude-haiku-5-5", PriceRule.OwnGlob)]
    [InlineData("claude-sonnet-5-5", PriceRule.BuiltInExact)]
    [InlineData("claude-sonnet-5-5-latest", PriceRule.BuiltInWithoutDate)]
    [InlineData("house-2", null)]
    internal void A_row_is_found_by_a_rule_that_has_a_name(string model, PriceRule? rule)
    {
        Assert.Equal(rule, Book.Match(model, Now)?.Rule);
        Assert.Equal(Book.Match(model, Now)?.Row, Book.Find(model, Now));
    }

    [Fact]
    public void Of_each_id_one_row_is_in_force_and_the_others_say_why_not()
    {
        var listed = PriceListing.Of(Book, Now, pattern: null).ToList();

        Assert.Equal(Book.OperatorRows.Count + BuiltInPrices.Rows.Count, listed.Count);
        Assert.Equal(
            [PriceState.Replaced, PriceState.InForce, PriceState.NotYet, PriceState.Replaced, PriceState.InForce, PriceState.InForce],
            listed.Where(row => row.IsOwn).Select(row => row.State));
        Assert.Equal(
            ["claude-haiku-4-5 Overridden", "claude-haiku-5-5 Overridden", "claude-opus-5 Overridden", "claude-sonnet-5-5 Replaced"],
            listed.Where(row => !row.IsOwn && row.State != PriceState.InForce).Select(row => $"{row.Row.Model} {row.State}").Order(StringComparer.Ordinal));
        Assert.All(
            listed.Where(row => row.State == PriceState.InForce && !ModelGlob.IsGlob(row.Row.Model)),
            row => Assert.Same(row.Row, Book.Find(row.Row.Model, Now)));
    }

    [Theory]
    [InlineData("claude-haiku-5-5", "claude-haiku-* claude-haiku-* claude-haiku-5-5")]
    [InlineData("house", "house house house")]
    [InlineData("glm-5*", "glm-5.3 glm-5.2 glm-5.3-flash glm-5")]
    [InlineData("nothing", "")]
    public void A_list_can_be_narrowed_to_an_id_or_a_pattern(string pattern, string models)
    {
        Assert.Equal(models.Split(' ', StringSplitOptions.RemoveEmptyEntries), PriceListing.Of(Book, Now, pattern).Select(listed => listed.Row.Model));
    }

    private static PriceRow Row(string model, DateTimeOffset? from = null) => new(model, new TokenPrices(1, 1, 1, 1, 1), null, null, 10, 1, from, default, "config.toml:1");
}
