using Ccp.Configuration;
using Ccp.Tests.Licenses;

namespace Ccp.Tests.Configuration;

/// <summary>
/// Goal: no file that is right as a whole stops a call that is served, because half of it waits for a restart; and what has nothing to do with what waits is taken up.
/// </summary>
public sealed class UntilRestartTests
{
    private const string Restart = "is taken up by a restart only";

    private static readonly Dictionary<string, string> Environment = new() { ["HOUSE_KEY"] = "key", ["OTHER_KEY"] = "other" };

    private string _text = "";

    [Theory]
    [InlineData("price_as = 'house-1'", "")]
    [InlineData("model_map = { 'claude-*' = 'house-1' }", "")]
    [InlineData("model_map = { 'claude-*' = 'glm-4.5-air', 'x' = 'house-1' }", "")]
    [InlineData("", "[[route]]\nmodel = '*'\nlane = 'house'\n")]
    public void A_price_that_came_with_the_lane_that_charges_by_it_waits_for_a_restart_with_it(string before, string route)
    {
        // The last case: the lane no longer says what it charges as, so that models are charged under their own names.
        var wasPriced = before.Length == 0;
        var live = Start(route + House(wasPriced ? "price_as = 'claude-haiku-4-5'" : ""));
        var inForce = live.Now;
        live.Follow(_ => Assert.Fail("nothing was to be taken up"));

        _text = route + House(before) + Price("house-1");
        Assert.Empty(Configured.Problems(_text, Environment));
        var outcome = live.Reload("test");

        var problem = Assert.Single(outcome.Problems);
        Assert.StartsWith("price: the price of \"house-1\" (config.toml:", problem, StringComparison.Ordinal);
        Assert.Contains(Restart, problem, StringComparison.Ordinal);
        Assert.Contains("restart ccp", problem, StringComparison.Ordinal);
        Assert.Same(inForce, live.Now);
        Assert.Equal(outcome.Problems, live.Last.Problems);
    }

    [Theory]
    [InlineData("[[route]]\nmodel = 'house-*'\nlane = 'house'\n", "")]
    [InlineData("[[route]]\nmodel = 'house-*'\nlane = 'house'\n", "[[route]]\nmodel = 'house-*'\nlane = 'other'\n")]
    public void A_route_away_from_a_lane_with_a_price_waits_for_the_price_of_the_model_itself(string before, string after)
    {
        var lanes = House("price_as = 'claude-haiku-4-5'") + House("").Replace("'house'", "'other'", StringComparison.Ordinal);
        var live = Start(before + lanes);

        _text = after + lanes + Price("house-1");
        Assert.Contains("\"house-1\"", Assert.Single(live.Reload("test").Problems), StringComparison.Ordinal);

        // A pattern prices no less.
        _text = after + lanes + Price("house-*");
        Assert.Contains("\"house-*\"", Assert.Single(live.Reload("test").Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_stands_for_unknown_ones_waits_with_the_lane_that_needs_it()
    {
        var live = Start(House(""));
        _text = "[billing]\nunknown_model = 'claude-haiku-4-5'\n" + House("model_map = { 'claude-*' = 'house-1' }");
        var problem = Assert.Single(live.Reload("test").Problems);
        Assert.StartsWith("billing.unknown_model: it is taken up by a restart only", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_price_that_begins_earlier_is_a_new_one_until_then()
    {
        var live = Start(House("") + Price("house-1", "2090-01-01"));
        _text = House("price_as = 'house-1'") + Price("house-1", "2020-01-01");
        Assert.Single(live.Reload("test").Problems);
    }

    [Fact]
    public void Prices_that_nothing_newly_charges_by_keep_nothing_back()
    {
        var live = Start(House("price_as = 'house-1'") + Price("house-1"));

        // Another price, of a model that only routes could lead elsewhere, and routes that change nothing about it.
        _text = "[[route]]\nmodel = 'claude-haiku-*'\nlane = 'house'\n[[route]]\nmodel = 'claude-9'\nlane = 'zai'\n" + House("price_as = 'house-1'") + Price("house-1") + Price("claude-9");
        var outcome = live.Reload("test");

        Assert.Empty(outcome.Problems);
        Assert.Equal(["price"], outcome.NeedRestart);
        Assert.Equal(2, live.Now.Routing.Routes.Count);

        // A model without a price on a lane is what it was before there was one in the file.
        live = Start(House("model_map = { 'claude-*' = 'house-1' }"));
        _text = "paused = true\n" + House("model_map = { 'claude-*' = 'house-1' }") + Price("house-1");
        Assert.Empty(live.Reload("test").Problems);
        Assert.True(live.Now.Routing.IsPaused);
    }

    [Fact]
    public void A_key_that_is_renamed_with_its_user_stays_until_a_restart()
    {
        var live = Start(House("") + Key("old", "HOUSE_KEY") + User("alice", "key = 'old'"));
        var inForce = live.Now;

        _text = House("") + Key("new", "HOUSE_KEY") + User("alice", "key = 'new'");
        var problem = Assert.Single(live.Reload("test").Problems);
        Assert.StartsWith("user.key: a change of it is taken up by a restart only", problem, StringComparison.Ordinal);
        Assert.Contains("the user \"alice\" has the key \"old\"", problem, StringComparison.Ordinal);
        Assert.Same(inForce, live.Now);

        // Both names side by side, as the message says.
        _text = House("") + Key("old", "OTHER_KEY") + Key("new", "HOUSE_KEY") + User("alice", "key = 'new'");
        Assert.Empty(live.Reload("test").Problems);
        Assert.Equal("other", live.Now.Keys[0].Value.Reveal());
    }

    [Fact]
    public void A_key_that_is_taken_away_with_its_user_is_gone_at_once()
    {
        var live = Start(House("") + Key("old", "HOUSE_KEY") + User("alice", "key = 'old'"));
        _text = House("");
        Assert.Empty(live.Reload("test").Problems);
        Assert.Empty(live.Now.Keys);
    }

    [Fact]
    public void A_lane_that_is_renamed_with_the_user_who_goes_there_stays_until_a_restart()
    {
        var live = Start(House("") + User("alice", "lane_override = 'house'"));
        _text = House("").Replace("'house'", "'home'", StringComparison.Ordinal) + User("alice", "lane_override = 'home'");
        Assert.StartsWith("user.lane_override: a change of it is taken up by a restart only", Assert.Single(live.Reload("test").Problems), StringComparison.Ordinal);

        _text = User("alice", "");
        Assert.Empty(live.Reload("test").Problems);
    }

    [Theory]
    [InlineData("weekly_tokens = 5", "7d")]
    [InlineData("rolling_tokens = 5\nrolling = '2d'", "2d")]
    public void A_quota_waits_for_the_records_it_is_counted_from(string window, string length)
    {
        var live = Start("[storage]\nrequest_records = '1d'\n" + Quota("rolling_tokens = 5"));
        var inForce = live.Now;

        _text = "paused = true\n[storage]\nrequest_records = '30d'\n" + Quota(window);
        var outcome = live.Reload("test");
        Assert.Equal(
            $"storage.request_records: a change of it {Restart}, and until then records are kept for 1d, while the quota of \"claude-*\" on the lane \"zai\" is counted from those of {length}: restart ccp, or leave that quota as it was",
            Assert.Single(outcome.Problems));
        Assert.True(outcome.MayStart);
        Assert.Same(inForce, live.Now);

        // As it says: the quota as it was, and the rest of the change.
        _text = "paused = true\n[storage]\nrequest_records = '30d'\n" + Quota("rolling_tokens = 6");
        Assert.Empty(live.Reload("test").Problems);
        Assert.Equal(6, Assert.Single(live.Now.Quotas).RollingTokens);
    }

    private static string Quota(string window) => $"[[quota]]\nmodel = 'claude-*'\nlane = 'zai'\n{window}\n";

    private static string House(string more) => $"[[lane]]\nname = 'house'\nbase_url = 'https://house.invalid'\nkey = 'env:HOUSE_KEY'\n{more}\n";

    private static string Price(string model, string? from = null) => $"[[price]]\nmodel = '{model}'\ninput = 1\noutput = 2\n{(from is null ? "" : $"effective_from = {from}\n")}";

    private static string Key(string name, string variable) => $"[[key]]\nname = '{name}'\nlane = 'house'\nvalue = 'env:{variable}'\n";

    private static string User(string name, string more) => $"[[user]]\nname = '{name}'\n{more}\n";

    private LiveConfig Start(string text)
    {
        _text = text;
        return new LiveConfig(Configured.Result(text, Environment), () => Configured.Result(_text, Environment), new LogLines());
    }
}
