using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Tests.Configuration;
using Ccp.Tests.Identity;

namespace Ccp.Tests.Routing;

public sealed class RouterTests
{
    private const string Price =
        """

        [[price]]
        model = "house-model"
        input = 10
        cache_write_5m = 12.5
        cache_write_1h = 20
        cache_read = 1
        output = 50
        """;

    private static readonly DateTimeOffset Now = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
    private static readonly Dictionary<string, string> Environment = new() { ["DEFAULT_ANTHROPIC_API_KEY"] = "sk-lane", ["TEAM_KEY"] = "sk-team" };

    private static readonly string Team =
        """

        [[key]]
        name = "team"
        lane = "anthropic"
        value = "env:TEAM_KEY"
        """;

    [Theory]
    [InlineData(null, null, "sk-lane", false)]
    [InlineData("team", null, "sk-team", false)]
    [InlineData(null, "sk-own", "sk-own", true)]
    [InlineData("team", "sk-own", "sk-own", true)]
    [InlineData("gone", null, null, false)]
    public void The_users_own_key_comes_first_then_the_named_one_then_the_lanes(string? named, string? own, string? used, bool isOwn)
    {
        var user = Alice() with { KeyName = named, UpstreamKey = own is null ? null : new Secret(own) };
        var isPlanned = Plan(Team, user, "house-model", out var plan, out var refusal);

        Assert.Equal(used is not null, isPlanned);
        Assert.Equal(used, plan?.Key.Reveal());
        Assert.Equal(isOwn, plan?.IsUsersOwnKey ?? false);
        Assert.Equal(used is null ? RefusalCode.NoUpstreamKey : null, refusal?.Code);
        Assert.DoesNotContain("sk-", plan?.ToString() ?? refusal!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_any_key_nothing_is_sent()
    {
        var router = new Router(Configured.Good(Price), PriceBook.BuiltIn);
        Assert.False(router.Plan(Alice(), null, isCharged: false, Now, RoutingState.Plain).Allows(out _, out var refusal));
        Assert.Equal(RefusalCode.NoUpstreamKey, refusal.Code);
    }

    [Fact]
    public void A_model_without_a_price_is_refused_by_name()
    {
        Assert.False(Plan("", Alice(), "claude-nobody-9", out _, out var refusal));
        Assert.Equal(RefusalCode.ModelNotPriced, refusal!.Code);
        Assert.Contains("claude-nobody-9", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("[[price]]", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_costs_nothing_needs_no_price()
    {
        var router = RouterOf("");
        Assert.True(router.Plan(Alice(), Facts("claude-nobody-9"), isCharged: false, Now, RoutingState.Plain).Allows(out var plan, out _));
        Assert.Null(plan.Rates);
        Assert.True(router.Plan(Alice(), null, isCharged: false, Now, RoutingState.Plain).Allows(out plan, out _));
        Assert.Null(plan.Rates);
    }

    [Theory]
    [InlineData(null, 2.0)]
    [InlineData(1.5, 1.5)]
    [InlineData(0.0, 0.0)]
    public void A_users_own_markup_overrides_the_general_one(double? own, double used)
    {
        Assert.True(Plan("", Alice() with { Markup = (decimal?)own }, "house-model", out var plan, out _));
        Assert.Equal((decimal)used, plan!.Rates!.Markup);
        Assert.Equal(used == 0, plan.Rates.IsFree);
    }

    [Theory]
    [InlineData(1_000, 5_000L, 110_000_000, 297_000_000)]
    [InlineData(1_000, 100L, 15_000_000, 27_500_000)]
    [InlineData(1_000, 0L, 10_000_000, 22_000_000)]
    public void A_forecast_guesses_a_modest_answer_and_fears_the_longest(long prompt, long? maxTokens, long guess, long worst)
    {
        Assert.True(Plan("", Alice() with { Markup = 1m }, "house-model", out var plan, out _));
        var forecast = CostForecasts.Of(plan!.Rates!, new RequestFacts("house-model", true, maxTokens, prompt, null));

        Assert.Equal(new NanoUsd(guess), forecast.Guess);
        Assert.Equal(new NanoUsd(worst), forecast.Worst);
    }

    [Theory]
    [InlineData(null, null, 44_000_000, 118_800_000)]
    [InlineData("us", null, 48_400_000, 118_800_000)]
    [InlineData(null, "fast", 88_000_000, 237_600_000)]
    [InlineData("us", "fast", 96_800_000, 237_600_000)]
    public void A_forecast_is_of_what_the_request_asks_for(string? geo, string? speed, long guess, long worst)
    {
        var rates = new RateCard("claude-opus-5-5", PriceBook.BuiltIn.Find("claude-opus-5-5", Now)!, 1m, PriceBook.BuiltIn, Now, IsFixed: false);
        var forecast = CostForecasts.Of(rates, Facts("claude-opus-5-5") with { MaxTokens = 5_000, Asked = new PriceTerms(geo, speed) });

        // The least is the prompt read from the cache, at the price where and how that is the cheapest: 0.20 a million.
        var least = new NanoUsd(200 * Facts("claude-opus-5-5").EstimatedPromptTokens);
        Assert.Equal(new CostForecast(least, new NanoUsd(guess), new NanoUsd(worst)), forecast);
    }

    [Fact]
    public void A_prompt_that_may_have_more_tokens_than_estimated_is_feared_to_get_above_the_limit()
    {
        var rates = new RateCard("claude-haiku-5-5", PriceBook.BuiltIn.Find("claude-haiku-5-5", Now)!, 1m, PriceBook.BuiltIn, Now, IsFixed: false);
        NanoUsd WorstFor(long prompt) => CostForecasts.Of(rates, Facts("claude-haiku-5-5") with { MaxTokens = 0, EstimatedPromptTokens = prompt }).Worst;

        // 3.2 bytes are taken for a token, and none is shorter than one.
        Assert.Equal(new NanoUsd(31_250 * 220), WorstFor(31_250));
        Assert.Equal(new NanoUsd(31_251 * 1_100), WorstFor(31_251));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1_000_000_000_000)]
    public void An_answer_of_absurd_length_is_no_reason_to_fail(long maxTokens)
    {
        Assert.True(Plan("", Alice(), "house-model", out var plan, out _));
        var forecast = CostForecasts.Of(plan!.Rates!, new RequestFacts("house-model", false, maxTokens, 1_000_000, null));
        Assert.True(forecast.Worst > forecast.Guess);
    }

    [Fact]
    public void A_request_that_does_not_say_how_long_its_answer_may_be_is_feared_to_be_long()
    {
        Assert.True(Plan("", Alice() with { Markup = 1m }, "house-model", out var plan, out _));
        var forecast = CostForecasts.Of(plan!.Rates!, new RequestFacts("house-model", false, null, 0, null));
        Assert.Equal(new NanoUsd(128_000L * 55_000), forecast.Worst);
    }

    private static User Alice() => AccessTokenTests.Someone(1, "alice", "token");

    private static RequestFacts Facts(string model) => new(model, true, 1_000, 1_000, null);

    private static Router RouterOf(string toml)
    {
        var config = Configured.Good(toml + Price, Environment);
        return new Router(config, PriceBook.With(config.Prices));
    }

    private static bool Plan(string toml, User user, string model, out LanePlan? plan, out Refusal? refusal) =>
        RouterOf(toml).Plan(user, Facts(model), isCharged: true, Now, RoutingState.Plain).Allows(out plan, out refusal);
}
