using Ccp.Pricing;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

/// <summary>Goal: what is priced after the fact is priced as calls are. Method: lanes are changed by a reload between the calls and the question.</summary>
/// <remarks>1000 input and 100 output tokens, at twice the price: 0.003 USD as claude-haiku-4-5, 0.015 as claude-opus-4-5, 0.045 as claude-opus-4-1.</remarks>
public sealed class LanesInForceTests
{
    private const string Haiku = "claude-haiku-4-5";

    private static readonly MeteredUsage Used = MeteredUsage.Of(new TokenUsage(1_000, 0, 0, 0, 100));

    [Fact]
    public async Task A_rerate_goes_by_the_price_that_a_reload_gave_a_lane_and_says_the_same_after_a_restart()
    {
        await using var till = await StartAsync(Own("price_as = 'claude-haiku-4-5'"));
        Assert.Equal("0.003", (await CallAsync(till, "req_1")).ToString());
        await ReloadAsync(till, Own("price_as = 'claude-opus-4-5'"));
        Assert.Equal("0.015", (await CallAsync(till, "req_2")).ToString());

        Assert.Equal("2 1 0.018 0.03 0.012", await DryRunAsync(till));
        await till.RestartAsync(till.FileText);
        Assert.Equal("2 1 0.018 0.03 0.012", await DryRunAsync(till));
    }

    [Fact]
    public async Task A_call_is_rerated_as_the_model_it_was_called_by_then_and_not_as_the_one_that_the_map_has_now()
    {
        await using var till = await StartAsync(Own($"model_map = {{ 'claude-haiku-zz' = '{Haiku}' }}"));
        await CallAsync(till, "req_1", "claude-haiku-zz", Haiku);

        foreach (var now in new[] { "claude-opus-4-1", "never-heard-of" })
        {
            await ReloadAsync(till, Own($"model_map = {{ 'claude-haiku-zz' = '{now}' }}"));
            Assert.Equal("1 0 0.003 0.003 0", await DryRunAsync(till));
        }

        // What is corrected is the price of the model that was called.
        await till.RestartAsync(till.FileText + $"[[price]]\nmodel = '{Haiku}'\ninput = 2\noutput = 10\n");
        Assert.Equal("1 1 0.003 0.006 0.003", await DryRunAsync(till));
    }

    [Fact]
    public async Task A_lane_that_has_a_price_now_has_it_for_what_it_was_called_by_then_too()
    {
        await using var till = await StartAsync(Own($"model_map = {{ 'claude-haiku-zz' = '{Haiku}' }}"));
        await CallAsync(till, "req_1", "claude-haiku-zz", Haiku);
        await ReloadAsync(till, Own("price_as = 'claude-opus-4-5'"));
        Assert.Equal("1 1 0.003 0.015 0.012", await DryRunAsync(till));
    }

    [Fact]
    public async Task A_call_whose_lane_had_a_price_for_all_is_called_as_the_map_of_now_has_it()
    {
        await using var till = await StartAsync(Own("price_as = 'claude-opus-4-5'"));
        await CallAsync(till, "req_1", "claude-haiku-zz");
        await ReloadAsync(till, Own($"model_map = {{ 'claude-haiku-zz' = '{Haiku}' }}"));
        Assert.Equal("1 1 0.015 0.003 -0.012", await DryRunAsync(till));
    }

    [Fact]
    public async Task Savings_compare_with_the_price_that_a_reload_gave_the_default_lane()
    {
        const string OpusByDefault = "[[lane]]\nname = 'anthropic'\nprice_as = 'claude-opus-4-5'\n";
        await using var till = await StartAsync(Own(""));
        await CallAsync(till, "req_1");
        Assert.Equal("0", await SavedAsync(till));

        await ReloadAsync(till, OpusByDefault + Own(""));
        Assert.Equal("0.006", await SavedAsync(till));
    }

    [Fact]
    public async Task A_price_is_explained_by_the_lanes_in_force()
    {
        await using var till = await StartAsync("");
        Assert.Equal(Haiku, await PricedAsAsync(till));
        await ReloadAsync(till, "[[lane]]\nname = 'anthropic'\nprice_as = 'claude-opus-4-5'\n");
        Assert.Equal("claude-opus-4-5", await PricedAsAsync(till));
    }

    private static string Own(string more) => $"[[lane]]\nname = 'own'\nbase_url = 'https://own.invalid'\nkey = 'env:OWN_KEY'\n{more}\n";

    private static async Task<TillUnderTest> StartAsync(string toml)
    {
        var till = TillUnderTest.WithConfig(toml);
        await till.AddUserAsync("alice", ""","initialBalance":50""");
        return till;
    }

    private static async Task ReloadAsync(TillUnderTest till, string toml)
    {
        till.FileText = toml;
        Assert.Equal([], (await till.AskAsync("POST", "/admin/reload")).Json.GetProperty("problems").EnumerateArray().Select(problem => problem.ToString()));
    }

    /// <summary>On the lane of one's own.</summary>
    private static Task<NanoUsd> CallAsync(TillUnderTest till, string id, string model = Haiku, string? answered = null) =>
        new ServedCall("alice", id, Used) { Model = model, AnsweredModel = answered, Lane = 2 }.WriteAsync(till);

    /// <returns>Requests, those to correct, what was charged, what would be, the difference.</returns>
    private static async Task<string> DryRunAsync(TillUnderTest till)
    {
        var found = (await till.AskAsync("POST", "/admin/pricing/rerate", """{"since":"1d","dryRun":true}""")).Json;
        return string.Join(' ', new[] { "requests", "corrected", "chargedDollars", "wouldBeDollars", "differenceDollars" }.Select(name => found.GetProperty(name).GetRawText()));
    }

    private static async Task<string> SavedAsync(TillUnderTest till) => (await till.AskAsync("GET", "/admin/savings")).Digits("savedDollars");

    private static async Task<string?> PricedAsAsync(TillUnderTest till) =>
        (await till.AskAsync("GET", $"/admin/pricing/explain?model={Haiku}")).Json.GetProperty("pricedAs").GetString();
}
