using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Tests.Configuration;
using Ccp.Tests.Identity;

namespace Ccp.Tests.Routing;

/// <summary>The table of lanes: which one a call is sent to, and the word for why.</summary>
public sealed class LaneDecisionTests
{
    private const string Haiku = "claude-haiku-4-5";
    private const string Opus = "claude-opus-5-5";
    private const string Prices =
        """

        [[price]]
        model = "house-model"
        input = 1
        output = 1
        """;

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);
    private static readonly RoutingState Licensed = RoutingState.Plain with { Features = new HashSet<string> { "zai_offload" } };

    [Theory]
    [InlineData(Haiku, "zai", "default")]
    [InlineData("claude-haiku-4-5-20251001", "zai", "default")]
    [InlineData(Opus, "anthropic", "default")]
    public void With_a_license_and_a_key_haiku_goes_to_the_second_lane(string model, string lane, string reason) => Goes(Decide(model, Licensed), lane, reason);

    [Fact]
    public void Without_a_license_everything_works_on_the_default_lane() => Goes(Decide(Haiku, RoutingState.Plain), "anthropic", "license_block", "zai: license_block");

    [Fact]
    public void Without_its_key_nothing_is_wanted_of_the_second_lane() => Goes(Decide(Haiku, Licensed, keys: "DEFAULT_ANTHROPIC_API_KEY"), "anthropic", "default");

    [Fact]
    public void A_route_to_a_lane_without_a_key_leads_to_its_fallback() => Goes(
        Decide(Haiku, Licensed, "[[route]]\nmodel = '*'\nlane = 'zai'\nfallback = 'anthropic'", keys: "DEFAULT_ANTHROPIC_API_KEY"), "anthropic", "no_credentials", "zai: no_credentials");

    [Theory]
    [InlineData("paused = true", Haiku, "anthropic", "failover_paused")]
    [InlineData("[[route]]\nmodel = 'claude-opus-*'\nlane = 'zai'", Opus, "zai", "route")]
    [InlineData("[[route]]\nmodel = 'claude-*'\nlane = 'anthropic'", Haiku, "anthropic", "route")]
    [InlineData("[[route]]\nmodel = 'claude-haiku-*'\nlane = 'anthropic'\n[[route]]\nmodel = '*'\nlane = 'zai'", Haiku, "anthropic", "route")]
    [InlineData("[[lane]]\nname = 'house'\nbase_url = 'https://house.invalid'\nkey = 'env:HOUSE_KEY'\n[[route]]\nmodel = '*'\nlane = 'house'", Opus, "house", "route")]
    public void The_file_s_routes_come_before_the_built_in_one(string toml, string model, string lane, string reason) => Goes(Decide(model, Licensed, toml), lane, reason);

    [Theory]
    [InlineData("1", Haiku, "zai", "manual_override")]
    [InlineData("1", "glm-4.5-air-haiku-tuned", "zai", "manual_override")]
    [InlineData("0", Haiku, "anthropic", "default")]
    public void The_switch_of_older_set_ups_comes_first(string force, string model, string lane, string reason) =>
        Goes(Decide(model, Licensed, "[billing]\nunknown_model = 'house-model'", force: force), lane, reason);

    [Fact]
    public void Every_haiku_that_is_sent_there_has_a_name_there() =>
        Assert.Equal("glm-4.5-air", Decide("claude-3-5-haiku-20241022", Licensed, "[billing]\nunknown_model = 'house-model'", force: "1").ModelOnLane);

    [Theory]
    [InlineData("1", "zai")]
    [InlineData("0", null)]
    public void The_switch_keeps_calls_from_falling_back_there_too(string force, string? fallback)
    {
        const string Toml = "[[lane]]\nname = 'house'\nbase_url = 'https://house.invalid'\nkey = 'env:HOUSE_KEY'\n[[route]]\nmodel = 'claude-opus-*'\nlane = 'house'\nfallback = 'zai'";
        Assert.Equal(fallback, Decide(Opus, Licensed, Toml, force: force).Fallback?.Lane.Name);
        Goes(Decide(Opus, Down("house", 3, isLong: false), Toml, force: force), fallback ?? "anthropic", "lane_down", "house: lane_down");
    }

    [Fact]
    public void A_user_s_own_lane_comes_before_the_routes_and_still_asks_for_the_license()
    {
        var user = AccessTokenTests.Someone(1, "alice", "token") with { LaneOverride = "zai" };
        Goes(Decide(Opus, Licensed, "[[route]]\nmodel = '*'\nlane = 'anthropic'", user: user), "zai", "manual_override");
        Goes(Decide(Opus, RoutingState.Plain, user: user), "anthropic", "license_block", "zai: license_block");
    }

    [Fact]
    public void A_policy_suggests_what_the_file_leaves_open_and_the_license_decides()
    {
        var policy = Licensed with { PolicyRoutes = [new RouteConfig("claude-opus-*", "zai", null, OnlyIfCheaper: false)] };
        Goes(Decide(Opus, policy), "zai", "policy");
        Goes(Decide(Opus, policy, "[[route]]\nmodel = 'claude-opus-*'\nlane = 'anthropic'"), "anthropic", "route");
        Goes(Decide(Opus, policy with { Features = new HashSet<string>() }), "anthropic", "license_block", "zai: license_block");
    }

    [Fact]
    public void A_safety_check_stays_on_the_default_lane_unless_the_operator_says_otherwise()
    {
        var facts = Facts(Haiku) with { HasSafeguards = true };
        Goes(Decide(facts, Licensed), "anthropic", "safeguards_avoided", "zai: safeguards_avoided");
        Goes(Decide(facts, Licensed, "[[lane]]\nname = 'zai'\nsafeguards = 'allow'"), "zai", "default");

        // A lane of the operator's own is no different.
        const string Route = "[[route]]\nmodel = '*'\nlane = 'house'\n[[lane]]\nname = 'house'\nbase_url = 'https://house.invalid'\nkey = 'env:HOUSE_KEY'\n";
        Goes(Decide(facts, Licensed, Route), "anthropic", "safeguards_avoided", "house: safeguards_avoided");
        Goes(Decide(facts, Licensed, Route + "safeguards = 'allow'"), "house", "route");
        Goes(Decide(facts, Licensed, "[[lane]]\nname = 'anthropic'\nsafeguards = 'avoid'\n[[route]]\nmodel = '*'\nlane = 'anthropic'"), "anthropic", "route");
    }

    [Theory]
    [InlineData("claude-haiku-5-5", "anthropic", "lane_dearer")]
    [InlineData("claude-haiku-4-5", "zai", "route")]
    public void The_lane_guard_takes_the_cheaper_lane(string model, string lane, string reason) =>
        Goes(Decide(model, Licensed, "[[route]]\nmodel = 'claude-haiku-*'\nlane = 'zai'\nfallback = 'anthropic'\nonly_if_cheaper = true"), lane, reason);

    [Fact]
    public void A_lane_on_which_nobody_knows_what_a_model_costs_is_not_taken_first_or_as_a_fallback()
    {
        const string House = "[[lane]]\nname = 'house'\nbase_url = 'https://house.invalid'\nkey = 'env:HOUSE_KEY'\nmodel_map = { 'claude-opus-*' = 'nobody-knows' }\n";
        Goes(Decide(Opus, Licensed, House + "[[route]]\nmodel = '*'\nlane = 'house'\nfallback = 'zai'"), "zai", "no_price", "house: no_price");
        Goes(Decide(Opus, Licensed, House + "[[route]]\nmodel = '*'\nlane = 'house'"), "anthropic", "no_price", "house: no_price");
        Assert.Null(Decide(Opus, Licensed, House + "[[route]]\nmodel = '*'\nlane = 'zai'\nfallback = 'house'").Fallback);
        Assert.Equal("house", Decide(Haiku, Licensed, House + "[[route]]\nmodel = '*'\nlane = 'zai'\nfallback = 'house'").Fallback?.Lane.Name);
    }

    [Fact]
    public void A_lane_that_is_down_is_left_alone()
    {
        Goes(Decide(Haiku, Down("zai", 3, isLong: true)), "anthropic", "lane_down", "zai: lane_down");
        Goes(Decide(Opus, Down("zai", 3, isLong: true)), "anthropic", "default");
        Goes(Decide(Haiku, Down("anthropic", 3, isLong: true)), "zai", "default");
        Assert.Null(Decide(Haiku, Down("anthropic", 3, isLong: true)).Fallback);
    }

    [Fact]
    public void What_costs_nothing_leaves_a_lane_alone_until_a_call_that_is_charged_has_found_it_well()
    {
        var awaited = Down("zai", -1, isLong: false);
        Goes(Decide(Haiku, awaited), "zai", "default");
        Assert.True(Ask(Facts(Haiku), awaited, isCharged: false).Allows(out var plan, out _));
        Goes(plan, "anthropic", "lane_down", "zai: lane_down");

        // Where none comes for a minute, it is not left alone for ever.
        Assert.True(Ask(Facts(Haiku), Down("zai", -60, isLong: false), isCharged: false).Allows(out plan, out _));
        Goes(plan, "zai", "default");
    }

    [Theory]
    [InlineData("", false, true, true)]
    [InlineData("", true, true, false)]
    [InlineData("paused = true", false, true, false)]
    [InlineData("", false, false, false)]
    public void A_pause_and_the_end_of_a_license_count_for_calls_under_way_and_the_default_lane_stays(string toml, bool isPaused, bool isLicensed, bool isAllowed)
    {
        var config = Configured.Good(toml);
        var router = new Router(config, PriceBook.BuiltIn);
        var state = (isLicensed ? Licensed : RoutingState.Plain) with { IsPaused = isPaused };

        Assert.Equal((true, isAllowed), (router.StillAllows(config.Lanes[0], state), router.StillAllows(config.Lanes[1], state)));
    }

    [Theory]
    [InlineData(0.2, false, "LaneDownBriefly", "again in 1 s")]
    [InlineData(7.5, false, "LaneDownBriefly", "again in 8 s")]
    [InlineData(59.9, true, "LaneDown", "again in 60 s")]
    public void Where_no_other_lane_is_left_it_is_said_how_long_it_will_take(double seconds, bool isLong, string code, string words)
    {
        var refusal = Refusal(Opus, Down("anthropic", seconds, isLong));
        Assert.Equal((code, TimeSpan.FromSeconds(seconds)), (refusal.Code.ToString(), refusal.Wait));
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);

        // The other lane lacks a key, which is no answer to somebody who need only wait.
        const string Toml = "[[route]]\nmodel = '*'\nlane = 'anthropic'\nfallback = 'zai'";
        Assert.Equal(code, Refusal(Opus, Down("anthropic", seconds, isLong), Toml, "DEFAULT_ANTHROPIC_API_KEY").Code.ToString());
    }

    [Fact]
    public void Only_a_fallback_that_was_named_and_may_be_used_is_tried_after_a_failure()
    {
        Assert.Equal("anthropic", Decide(Haiku, Licensed).Fallback?.Lane.Name);
        Assert.Null(Decide(Opus, Licensed).Fallback);
        Assert.Null(Decide(Opus, Licensed, "[[route]]\nmodel = '*'\nlane = 'zai'").Fallback);

        // A fallback on a lane that the license does not grant would be a way around it.
        var other = "[[lane]]\nname = 'house'\nbase_url = 'https://house.invalid'\nkey = 'env:HOUSE_KEY'\nrequires = 'gold'\n[[route]]\nmodel = '*'\nlane = 'zai'\nfallback = 'house'";
        Assert.Null(Decide(Opus, Licensed, other).Fallback);
        Assert.Equal("house", Decide(Opus, Licensed with { Features = new HashSet<string> { "zai_offload", "gold" } }, other).Fallback?.Lane.Name);
    }

    [Fact]
    public void Each_lane_has_its_own_name_for_a_model_and_its_own_price_and_key()
    {
        var user = AccessTokenTests.Someone(1, "alice", "token") with { UpstreamKey = new Secret("sk-own") };
        var there = Decide(Haiku, Licensed, user: user);
        Assert.Equal(("glm-4.5-air", "glm-4.5-air", "key_of_ZAI_API_KEY", false), (there.ModelOnLane, there.Rates!.Row.Model, there.Key.Reveal(), there.IsUsersOwnKey));
        var here = there.Fallback!;
        Assert.Equal((Haiku, Haiku, "sk-own", true), (here.ModelOnLane, here.Rates!.Row.Model, here.Key.Reveal(), here.IsUsersOwnKey));
    }

    [Fact]
    public void A_named_key_is_for_its_own_lane()
    {
        const string Toml = "[[key]]\nname = 'team'\nlane = 'zai'\nvalue = 'env:HOUSE_KEY'";
        var user = AccessTokenTests.Someone(1, "alice", "token") with { KeyName = "team" };
        Assert.Equal("key_of_HOUSE_KEY", Decide(Haiku, Licensed, Toml, user: user).Key.Reveal());
        Assert.Equal("key_of_DEFAULT_ANTHROPIC_API_KEY", Decide(Opus, Licensed, Toml, user: user).Key.Reveal());
    }

    [Fact]
    public void A_lane_that_passes_logins_on_takes_the_caller_s_and_no_key_and_no_other_lane_takes_the_login()
    {
        var keys = new Dictionary<string, string> { ["DEFAULT_ANTHROPIC_API_KEY"] = "left-over", ["ZAI_API_KEY"] = "key-of-zai" };
        var config = Configured.Good("[[lane]]\nname = 'anthropic'\nheader = 'passthrough'" + Prices, keys);
        Assert.Null(config.Lanes[0].Key);
        var router = new Router(config, PriceBook.With(config.Prices));
        var user = AccessTokenTests.Someone(1, "alice", "token") with { UpstreamKey = new Secret("sk-own") };

        Assert.True(Plan(Opus, "Bearer login").Allows(out var plan, out _));
        Assert.Equal(("anthropic", "Bearer login", true), (plan.Lane.Name, plan.Key.Reveal(), plan.IsUsersOwnKey));
        Assert.True(Plan(Haiku, "Bearer login").Allows(out plan, out _));
        Assert.Equal(("zai", "key-of-zai", "Bearer login"), (plan.Lane.Name, plan.Key.Reveal(), plan.Fallback?.Key.Reveal()));
        Assert.True(Plan(Haiku, null).Allows(out plan, out _));
        Assert.Equal(("zai", "key-of-zai", null), (plan.Lane.Name, plan.Key.Reveal(), plan.Fallback));
        Assert.False(Plan(Opus, null).Allows(out _, out var refusal));
        Assert.Equal(RefusalCode.NoOwnLogin, refusal.Code);

        // The caller can log in; that the fallback has no key is nothing to tell somebody who did not ask for it.
        var toAnother = Configured.Good("[[lane]]\nname = 'anthropic'\nheader = 'passthrough'\n[[route]]\nmodel = '*'\nlane = 'anthropic'\nfallback = 'zai'");
        Assert.False(new Router(toAnother, PriceBook.BuiltIn).Plan(user, Facts(Opus), isCharged: true, Now, Licensed).Allows(out _, out refusal));
        Assert.Equal(RefusalCode.NoOwnLogin, refusal.Code);

        Decision<LanePlan> Plan(string model, string? login) => router.Plan(user, Facts(model), isCharged: true, Now, Licensed, login is null ? null : new Secret(login));
    }

    private static void Goes(LanePlan plan, string lane, string reason, params string[] rejected)
    {
        Assert.Equal((lane, reason), (plan.Lane.Name, plan.Reason));
        if (rejected.Length > 0)
        {
            Assert.Equal(rejected, plan.Rejected.Select(no => $"{no.Lane}: {no.Reason}"));
        }
    }

    private static RequestFacts Facts(string model) => new(model, IsStream: true, MaxTokens: 1_000, EstimatedPromptTokens: 10_000, SessionId: null);

    private static LanePlan Decide(string model, RoutingState state, string toml = "", string keys = "DEFAULT_ANTHROPIC_API_KEY,ZAI_API_KEY,HOUSE_KEY", string? force = null, User? user = null) =>
        Decide(Facts(model), state, toml, keys, force, user);

    private static LanePlan Decide(RequestFacts facts, RoutingState state, string toml = "", string keys = "DEFAULT_ANTHROPIC_API_KEY,ZAI_API_KEY,HOUSE_KEY", string? force = null, User? user = null)
    {
        Assert.True(Ask(facts, state, toml, keys, force, user).Allows(out var plan, out var refusal), refusal?.Message);
        return plan;
    }

    private static RoutingState Down(string lane, double seconds, bool isLong) =>
        Licensed with { LanesDown = new Dictionary<string, LaneOutage> { [lane] = new(TimeSpan.FromSeconds(seconds), isLong) } };

    private static Refusal Refusal(string model, RoutingState state, string toml = "", string keys = "DEFAULT_ANTHROPIC_API_KEY,ZAI_API_KEY")
    {
        Assert.False(Ask(Facts(model), state, toml, keys, null, null).Allows(out _, out var refusal));
        return refusal;
    }

    private static Decision<LanePlan> Ask(
        RequestFacts facts, RoutingState state, string toml = "", string keys = "DEFAULT_ANTHROPIC_API_KEY,ZAI_API_KEY,HOUSE_KEY", string? force = null, User? user = null, bool isCharged = true)
    {
        var environment = keys.Split(',').ToDictionary(name => name, name => $"key_of_{name}");
        if (force is not null)
        {
            environment["FORCE_HAIKU_TO_ZAI"] = force;
        }

        var config = Configured.Good(toml + Prices, environment);
        return new Router(config, PriceBook.With(config.Prices)).Plan(user ?? AccessTokenTests.Someone(1, "alice", "token"), facts, isCharged, Now, state);
    }
}
