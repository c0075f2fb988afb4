using Ccp.Pricing;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

/// <remarks>
/// 1000 input and 100 output tokens cost 310 millionths of a dollar on the zai lane (glm-4.5-air, 0.20 and 1.10 a million). On the default lane they would have cost
/// 1500 as claude-haiku-4-5 (1 and 5) and 150 as claude-haiku-5-5 (0.10 and 0.50).
/// </remarks>
public sealed class SavingsTests
{
    private const string Glm = "glm-4.5-air";

    /// <summary>The lane takes any model, at one price.</summary>
    private const string AnyModelOnZai =
        """
        [[lane]]
        name = "zai"
        price_as = "glm-4.5-air"
        """;

    private static readonly MeteredUsage Used = MeteredUsage.Of(new TokenUsage(1_000, 0, 0, 0, 100));

    [Fact]
    public async Task What_a_lane_saved_and_what_it_cost_more_is_summed_by_month_model_and_user()
    {
        await using var till = await WithUsersAsync();
        await new ServedCall("alice", "req_1", Used) { Model = "claude-haiku-4-5", AnsweredModel = Glm, Lane = 1 }.WriteAsync(till);
        await new ServedCall("alice", "req_2", Used) { Model = "claude-haiku-4-5", AnsweredModel = Glm, Lane = 1 }.WriteAsync(till);
        await new ServedCall("bob", "req_3", Used) { Model = "claude-haiku-5-5", AnsweredModel = Glm, Lane = 1 }.WriteAsync(till);
        await new ServedCall("alice", "req_4", Used) { Model = "claude-haiku-4-5" }.WriteAsync(till);
        till.Clock.Advance(TimeSpan.FromDays(9));
        await new ServedCall("bob", "req_5", Used) { Model = "claude-haiku-4-5", AnsweredModel = Glm, Lane = 1 }.WriteAsync(till);

        var found = (await till.AskAsync("GET", "/admin/savings?since=30d")).Json;

        Assert.Equal(
            """
            [{"month":"2026-11","model":"claude-haiku-4-5","username":"alice","requests":2,"laneCostDollars":0.00062,"defaultLaneCostDollars":0.003,"savedDollars":0.00238},
            {"month":"2026-11","model":"claude-haiku-5-5","username":"bob","requests":1,"laneCostDollars":0.00031,"defaultLaneCostDollars":0.00015,"savedDollars":-0.00016},
            {"month":"2026-12","model":"claude-haiku-4-5","username":"bob","requests":1,"laneCostDollars":0.00031,"defaultLaneCostDollars":0.0015,"savedDollars":0.00119}]
            """.ReplaceLineEndings(""),
            found.GetProperty("lines").GetRawText());
        Assert.Equal(("anthropic", 4, 4), (found.GetProperty("defaultLane").GetString(), found.GetProperty("requests").GetInt32(), found.GetProperty("compared").GetInt32()));
        Assert.Equal(
            ("0.00124", "0.00465", "0.00341"),
            (found.GetProperty("laneCostDollars").GetRawText(), found.GetProperty("defaultLaneCostDollars").GetRawText(), found.GetProperty("savedDollars").GetRawText()));
        Assert.Equal("""{"withoutPrice":0,"withoutUsage":0}""", found.GetProperty("notCompared").GetRawText());
    }

    [Theory]
    [InlineData("since=1d", 1)]
    [InlineData("since=2026-11-22", 2)]
    [InlineData("since=2026-11-23", 1)]
    [InlineData("", 2)]
    public async Task It_reaches_back_as_far_as_asked(string query, int requests)
    {
        await using var till = await WithUsersAsync();
        await new ServedCall("alice", "req_1", Used) { Model = "claude-haiku-4-5", Lane = 1 }.WriteAsync(till);
        till.Clock.Advance(TimeSpan.FromDays(2));
        await new ServedCall("alice", "req_2", Used) { Model = "claude-haiku-4-5", Lane = 1 }.WriteAsync(till);

        Assert.Equal(requests, (await till.AskAsync("GET", $"/admin/savings?{query}")).Json.GetProperty("requests").GetInt32());
    }

    [Fact]
    public async Task What_cannot_be_compared_is_counted_and_is_in_no_sum()
    {
        await using var till = await WithUsersAsync(AnyModelOnZai);
        await new ServedCall("alice", "req_1", Used) { Model = "house-model", Lane = 1 }.WriteAsync(till);
        await new ServedCall("alice", "req_2", Used) { Model = "claude-haiku-4-5", Lane = 1, KeepsUsage = false }.WriteAsync(till);
        await new ServedCall("alice", "req_3", Used) { Model = "house-model", Lane = 1 }.WriteAsync(till);

        var found = (await till.AskAsync("GET", "/admin/savings")).Json;

        Assert.Equal("""{"withoutPrice":2,"withoutUsage":1}""", found.GetProperty("notCompared").GetRawText());
        Assert.Equal((3, 0, 0), (found.GetProperty("requests").GetInt32(), found.GetProperty("compared").GetInt32(), found.GetProperty("lines").GetArrayLength()));
        Assert.Equal("0", found.GetProperty("laneCostDollars").GetRawText());
    }

    [Fact]
    public async Task Prices_are_those_of_the_day_of_the_request()
    {
        const string DearerFromTomorrow =
            """
            [[price]]
            model = "claude-haiku-4-5"
            input = 10
            output = 50
            effective_from = 2026-11-23
            """;
        await using var till = await WithUsersAsync(DearerFromTomorrow);
        await new ServedCall("alice", "req_1", Used) { Model = "claude-haiku-4-5", Lane = 1 }.WriteAsync(till);
        till.Clock.Advance(TimeSpan.FromDays(1));
        await new ServedCall("bob", "req_2", Used) { Model = "claude-haiku-4-5", Lane = 1 }.WriteAsync(till);

        var lines = (await till.AskAsync("GET", "/admin/savings")).Json.GetProperty("lines");

        Assert.Equal(["0.0015", "0.015"], lines.EnumerateArray().Select(line => line.GetProperty("defaultLaneCostDollars").GetRawText()));
    }

    [Fact]
    public async Task The_asked_model_prices_every_pass_whatever_the_other_lane_calls_it()
    {
        await using var till = await WithUsersAsync();
        var passes = new MeteredUsage(new TokenUsage(2_000, 0, 0, 0, 200), [new UsageIteration(Glm, new TokenUsage(1_000, 0, 0, 0, 100)), new UsageIteration(null, new TokenUsage(1_000, 0, 0, 0, 100))]);
        await new ServedCall("alice", "req_1", passes) { Model = "claude-haiku-4-5", AnsweredModel = Glm, Lane = 1 }.WriteAsync(till);

        var found = (await till.AskAsync("GET", "/admin/savings")).Json;

        Assert.Equal(("0.00062", "0.003"), (found.GetProperty("laneCostDollars").GetRawText(), found.GetProperty("defaultLaneCostDollars").GetRawText()));
    }

    [Fact]
    public async Task Whom_it_charges_and_how_much_makes_no_difference_to_what_it_costs_the_operator()
    {
        await using var till = await WithUsersAsync();
        await till.AskAsync("PUT", "/admin/users/alice", """{"billing":false}""");
        await till.AskAsync("PUT", "/admin/users/bob", """{"markup":7}""");
        await new ServedCall("alice", "req_1", Used) { Model = "claude-haiku-4-5", Lane = 1 }.WriteAsync(till);
        await new ServedCall("bob", "req_2", Used) { Model = "claude-haiku-4-5", Lane = 1 }.WriteAsync(till);

        var lines = (await till.AskAsync("GET", "/admin/savings")).Json.GetProperty("lines");

        Assert.Equal(["0.00119", "0.00119"], lines.EnumerateArray().Select(line => line.GetProperty("savedDollars").GetRawText()));
    }

    [Fact]
    public async Task More_than_a_page_of_requests_is_summed_once_each()
    {
        await using var till = await WithUsersAsync();
        for (var number = 0; number < 600; number++)
        {
            await new ServedCall("alice", $"req_{number}", Used) { Model = "claude-haiku-4-5", Lane = number % 10 == 0 ? 0 : 1 }.WriteAsync(till);
        }

        var found = (await till.AskAsync("GET", "/admin/savings")).Json;

        Assert.Equal(540, found.GetProperty("requests").GetInt32());
        Assert.Equal("0.6426", found.GetProperty("savedDollars").GetRawText());
    }

    [Fact]
    public async Task It_is_for_admins_and_only_read()
    {
        await using var till = await WithUsersAsync();
        var token = (await till.AskAsync("POST", "/admin/users/bob/token")).Json.GetProperty("token").GetString();

        Assert.Equal(403, (await till.AskWithAsync(token, "GET", "/admin/savings")).Status);
        Assert.Equal(405, (await till.AskAsync("POST", "/admin/savings")).Status);
        Assert.Equal(400, (await till.AskAsync("GET", "/admin/savings?since=yesterday")).Status);
    }

    private static async Task<TillUnderTest> WithUsersAsync(string toml = "")
    {
        var till = TillUnderTest.WithConfig(toml);
        await till.AddUserAsync("alice");
        await till.AddUserAsync("bob");
        return till;
    }
}
