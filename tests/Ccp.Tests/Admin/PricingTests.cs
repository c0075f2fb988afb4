using System.Text.Json;
using Ccp.Cli;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

public sealed class PricingTests
{
    private const string Own = "[[price]]\nmodel = \"claude-haiku-*\"\ninput = 1\noutput = 2";

    [Fact]
    public async Task The_book_is_listed_with_prices_dates_tiers_and_sources()
    {
        await using var till = TillUnderTest.WithConfig(Own);

        var rows = (await till.AskAsync("GET", "/admin/pricing?model=claude-haiku-5-5")).Json;

        Assert.Equal(2, rows.GetArrayLength());
        Assert.Equal(("own", "in_force", "config.toml:1"), (Text(rows[0], "origin"), Text(rows[0], "state"), Text(rows[0], "source")));
        Assert.Equal(
            """{"model":"claude-haiku-5-5","origin":"built_in","state":"overridden","effectiveFrom":null,"asOf":"2026-10-31","source":"Anthropic pricing and model pages; agrees with the table in Claude Code 2.1.330","prices":{"input":0.10,"cacheWrite5m":0.125,"cacheWrite1h":0.20,"cacheRead":0.01,"output":0.50},"above":{"promptTokens":100000,"input":0.50,"cacheWrite5m":0.625,"cacheWrite1h":1.00,"cacheRead":0.05,"output":2.50},"fast":null,"webSearchPer1000":10,"usGeoFactor":1.1}""",
            rows[1].GetRawText());
        Assert.Equal(35, (await till.AskAsync("GET", "/admin/pricing")).Json.GetArrayLength());
    }

    [Theory]
    [InlineData(Own, "claude-haiku-5-5", "claude-haiku-5-5", "pattern claude-haiku-*")]
    [InlineData(Own, "claude-opus-5-5", "claude-opus-5-5", "row for exactly claude-opus-5-5")]
    [InlineData(Own, "claude-opus-5-5-20260901", "claude-opus-5-5-20260901", "is claude-opus-5-5 with a date")]
    [InlineData(Own, "claude-sonnet-5-5", "claude-sonnet-5-5", "took effect last, on 2026-10-07 00:00 UTC")]
    [InlineData("[[price]]\nmodel = \"mine\"\ninput = 1\noutput = 2", "mine", "mine", "Your [[price]] row for exactly mine")]
    [InlineData("[[price]]\nmodel = \"mine\"\ninput = 1\noutput = 2", "mine-latest", "mine-latest", "mine-latest is mine with a date or -latest")]
    [InlineData("[billing]\nunknown_model = \"claude-opus-5-5\"", "never-heard-of", "claude-opus-5-5", "(billing.unknown_model)")]
    [InlineData("[[lane]]\nname = \"anthropic\"\nprice_as = \"glm-5\"", "claude-opus-5-5", "glm-5", "(price_as)")]
    public async Task The_rule_by_which_a_model_is_priced_is_told_with_an_example(string toml, string model, string pricedAs, string why)
    {
        await using var till = TillUnderTest.WithConfig(toml);

        var told = (await till.AskAsync("GET", $"/admin/pricing/explain?model={model}")).Json;

        Assert.True(told.GetProperty("priced").GetBoolean());
        Assert.Equal(pricedAs, Text(told, "pricedAs"));
        Assert.Contains(told.GetProperty("why").EnumerateArray(), sentence => sentence.GetString()!.Contains(why, StringComparison.Ordinal));
        var example = told.GetProperty("example");
        Assert.Equal(example.GetProperty("chargeDollars").GetDecimal(), example.GetProperty("lines").EnumerateArray().Sum(line => line.GetProperty("usd").GetDecimal()));
        Assert.Equal(2 * example.GetProperty("upstreamCostDollars").GetDecimal(), example.GetProperty("chargeDollars").GetDecimal());
    }

    [Fact]
    public async Task A_model_without_a_price_is_said_to_be_refused()
    {
        await using var till = TillUnderTest.WithConfig();

        var told = (await till.AskAsync("GET", "/admin/pricing/explain?model=never-heard-of")).Json;

        Assert.False(told.GetProperty("priced").GetBoolean());
        Assert.Contains("refused", told.GetProperty("why")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, told.GetProperty("example").ValueKind);
        Assert.Equal(400, (await till.AskAsync("GET", "/admin/pricing/explain")).Status);
    }

    [Fact]
    public async Task What_the_other_lanes_would_charge_is_told_with_whether_they_can_be_used()
    {
        await using var till = TillUnderTest.WithConfig("""
            [[lane]]
            name = "own"
            base_url = "http://127.0.0.1:9"
            header = "passthrough"
            """);

        var haiku = (await till.AskAsync("GET", "/admin/pricing/explain?model=claude-haiku-4-5")).Json;
        var unknown = (await till.AskAsync("GET", "/admin/pricing/explain?model=my-haiku")).Json;

        Assert.Equal("claude-haiku-4-5", Text(haiku, "pricedAs"));
        Assert.Equal(
            [
                "On the lane zai (no key) it would be charged as glm-4.5-air: 0.20 for input, 1.10 for output.",
                "On the lane own (usable) it would be charged as claude-haiku-4-5: 1 for input, 5 for output.",
            ],
            haiku.GetProperty("otherLanes").EnumerateArray().Select(PricingCommands.OnLane));
        Assert.False(unknown.GetProperty("priced").GetBoolean());
        Assert.Equal("glm-4.5-air", Text(unknown.GetProperty("otherLanes")[0], "pricedAs"));
        Assert.Equal("On the lane own (usable) it would be my-haiku, which has no price, so no call for it goes there.", PricingCommands.OnLane(unknown.GetProperty("otherLanes")[1]));
    }

    [Fact]
    public async Task A_lane_that_lacks_its_license_is_said_to()
    {
        await using var till = TillUnderTest.WithConfig("""
            [[lane]]
            name = "zai"
            header = "passthrough"
            """);

        var without = (await till.AskAsync("GET", "/admin/pricing/explain?model=claude-haiku-4-5")).Json;
        await till.AskAsync("POST", "/admin/license", $"{{\"pack\":\"{JsonEncodedText.Encode(IssuedLicense.Pack(till.Clock.GetUtcNow(), days: 3))}\"}}");
        var with = (await till.AskAsync("GET", "/admin/pricing/explain?model=claude-haiku-4-5")).Json;

        Assert.Equal(("license needed", "usable"), (Text(without.GetProperty("otherLanes")[0], "state"), Text(with.GetProperty("otherLanes")[0], "state")));
    }

    private static string? Text(JsonElement item, string member) => item.GetProperty(member).GetString();
}
