using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

public sealed class ReportTests
{
    [Fact]
    public async Task Usage_by_user_has_the_known_shape()
    {
        await using var till = await WithUsageAsync();

        var usage = (await till.AskAsync("GET", "/admin/usage")).Json;

        Assert.Equal(["alice", "bob"], usage.EnumerateObject().Select(user => user.Name));
        Assert.Equal(
            """{"requests":3,"inputTokens":3,"outputTokens":150000,"cacheReadTokens":12000,"cacheWriteTokens":960,"totalTokens":162963,"costDollars":6,"upstreamCostDollars":3,"currentBalance":44,"deleted":false}""",
            usage.GetProperty("alice").GetRawText());
    }

    [Theory]
    [InlineData("", 3)]
    [InlineData("startDate=2026-11-22", 3)]
    [InlineData("startDate=2026-11-23", 2)]
    [InlineData("endDate=2026-11-22", 1)]
    [InlineData("startDate=2026-11-23&endDate=2026-11-23", 1)]
    [InlineData("startDate=2026-11-23T12:00:00Z", 2)]
    [InlineData("startDate=2026-11-23T12:00:01.000Z", 1)]
    [InlineData("endDate=2026-11-21", 0)]
    public async Task A_period_includes_both_of_its_days(string period, int requests)
    {
        await using var till = await WithUsageAsync();

        var usage = await till.AskAsync("GET", $"/admin/usage?username=alice&{period}");

        Assert.Equal(requests, Assert.Single(usage.Json.EnumerateObject()).Value.GetProperty("requests").GetInt32());
    }

    [Theory]
    [InlineData("day", "2026-11-22,2026-11-23,2026-11-24")]
    [InlineData("model", "claude-sonnet-4-5,claude-opus-4-5")]
    [InlineData("user", "alice,bob")]
    [InlineData("session", "s2,s1,")]
    public async Task Usage_is_summed_by_what_is_asked_for(string by, string keys)
    {
        await using var till = await WithUsageAsync();

        var groups = (await till.AskAsync("GET", $"/admin/usage/by?by={by}")).Json.EnumerateArray().ToList();

        Assert.Equal(keys.Split(','), groups.Select(group => group.GetProperty(by).GetString()));
        Assert.Equal(6.5m, groups.Sum(group => group.GetProperty("costDollars").GetDecimal()));
        Assert.All(groups, group => Assert.Equal(9, group.EnumerateObject().Count()));
    }

    [Theory]
    [InlineData("since=36h", 3)]
    [InlineData("since=0d", 1)]
    [InlineData("since=30d", 4)]
    [InlineData("since=99999d", 4)]
    [InlineData("since=2026-11-24", 1)]
    [InlineData("username=bob", 1)]
    public async Task A_summary_reaches_back_as_far_as_asked(string query, int requests)
    {
        await using var till = await WithUsageAsync();

        var groups = await till.AskAsync("GET", $"/admin/usage/by?{query}");

        Assert.Equal(requests, groups.Json.EnumerateArray().Sum(group => group.GetProperty("requests").GetInt32()));
    }

    [Fact]
    public async Task Users_see_their_own_usage_by_day_and_model_and_not_what_it_cost_upstream()
    {
        await using var till = await WithUsageAsync();
        var token = (await till.AskAsync("POST", "/admin/users/alice/token")).Json.GetProperty("token").GetString();

        var all = await till.AskWithAsync(token, "GET", "/user/usage");
        var recent = await till.AskWithAsync(token, "GET", "/user/usage?days=2");

        Assert.Equal(30, all.Json.GetProperty("days").GetInt32());
        Assert.Equal(
            """{"day":"2026-11-22","model":"claude-sonnet-4-5","requests":1,"inputTokens":1,"outputTokens":50000,"cacheReadTokens":4000,"cacheWriteTokens":320,"totalTokens":54321,"costDollars":1}""",
            all.Json.GetProperty("usage")[0].GetRawText());
        Assert.Equal(3, all.Json.GetProperty("usage").GetArrayLength());
        Assert.DoesNotContain("upstream", all.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["2026-11-23", "2026-11-24"], recent.Json.GetProperty("usage").EnumerateArray().Select(line => line.GetProperty("day").GetString()));
    }

    [Fact]
    public async Task The_ledger_is_shown_newest_first_and_page_by_page()
    {
        await using var till = await WithUsageAsync();

        var first = (await till.AskAsync("GET", "/admin/ledger?limit=2")).Json;
        var second = (await till.AskAsync("GET", $"/admin/ledger?limit=4&before={first[1].GetProperty("id")}")).Json;

        Assert.Equal([6, 5], first.EnumerateArray().Select(entry => entry.GetProperty("id").GetInt32()));
        Assert.Equal([4, 3, 2, 1], second.EnumerateArray().Select(entry => entry.GetProperty("id").GetInt32()));
        Assert.Equal("charge", first[0].GetProperty("kind").GetString());
        Assert.Equal("-3", first[0].GetProperty("amount").GetRawText());
        Assert.Equal("44", first[0].GetProperty("balanceAfter").GetRawText());
    }

    [Fact]
    public async Task Requests_are_shown_newest_first_and_page_by_page_without_bodies()
    {
        await using var till = await WithUsageAsync();

        var first = (await till.AskAsync("GET", "/admin/requests?limit=3")).Json;
        var second = (await till.AskAsync("GET", "/admin/requests?before=req_2")).Json;

        Assert.Equal(["req_4", "req_3", "req_2"], first.EnumerateArray().Select(request => request.GetProperty("id").GetString()));
        Assert.Equal(
            """{"id":"req_1","at":"2026-11-22T12:00:00+00:00","username":"alice","account":1,"model":"claude-sonnet-4-5","answeredModel":"claude-sonnet-4-5","pricedAs":"claude-sonnet-4-5","lane":"anthropic","status":200,"reason":"completed","stream":true,"estimated":false,"inputTokens":1,"outputTokens":50000,"cacheReadTokens":4000,"cacheWriteTokens":320,"webSearches":0,"costDollars":1,"upstreamCostDollars":0.5,"session":"s1","agent":null,"upstreamRequestId":"req_upstream","latencyMs":1500,"ttftMs":250,"decision":null,"decisionReason":null,"chosenBy":null,"rejected":[]}""",
            Assert.Single(second.EnumerateArray()).GetRawText());
    }

    [Fact]
    public async Task A_sound_ledger_is_found_sound_and_its_head_is_shown()
    {
        await using var till = await WithUsageAsync();

        var verdict = await till.AskAsync("GET", "/admin/ledger/verify");

        Assert.Equal(200, verdict.Status);
        Assert.True(verdict.Json.GetProperty("ok").GetBoolean());
        Assert.Equal(6, verdict.Json.GetProperty("entries").GetInt32());
        Assert.Equal(2, verdict.Json.GetProperty("accounts").GetInt32());
        Assert.Equal(6, verdict.Json.GetProperty("headId").GetInt32());
        Assert.Equal(64, verdict.Json.GetProperty("headHash").GetString()!.Length);
    }

    [Fact]
    public async Task A_changed_entry_is_named()
    {
        await using var till = await WithUsageAsync();
        await till.Till.Writes.WriteAsync(database =>
        {
            database.Execute("DROP TRIGGER entry_is_never_changed");
            return database.Run("UPDATE entry SET note = 'forged' WHERE id = 3");
        });

        var verdict = (await till.AskAsync("GET", "/admin/ledger/verify")).Json;

        Assert.False(verdict.GetProperty("ok").GetBoolean());
        Assert.StartsWith("entry 3 ", verdict.GetProperty("problem").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/admin/usage?startDate=22.11.2026")]
    [InlineData("/admin/usage?endDate=30d")]
    [InlineData("/admin/usage?startDate=2026-13-01")]
    [InlineData("/admin/usage/by?by=week")]
    [InlineData("/admin/usage/by?since=yesterday")]
    [InlineData("/admin/ledger?limit=0")]
    [InlineData("/admin/ledger?limit=1001")]
    [InlineData("/admin/ledger?before=x")]
    [InlineData("/admin/requests?limit=-1")]
    public async Task A_question_that_cannot_be_read_is_refused(string path)
    {
        await using var till = TillUnderTest.WithConfig();

        var answer = await till.AskAsync("GET", path);

        Assert.Equal(400, answer.Status);
        Assert.NotEmpty(answer.Error);
    }

    /// <summary>alice: a top-up and three calls on three days; bob: a top-up and a call on the second day.</summary>
    private static async Task<TillUnderTest> WithUsageAsync()
    {
        var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","initialBalance":50""");
        await till.AddUserAsync("bob", ""","initialBalance":50""");
        await till.ChargeAsync("alice", "1", "req_1", session: "s1");
        till.Clock.Advance(TimeSpan.FromDays(1));
        await till.ChargeAsync("alice", "2", "req_2", session: "s2");
        await till.ChargeAsync("bob", "0.5", "req_3");
        till.Clock.Advance(TimeSpan.FromDays(1));
        await till.ChargeAsync("alice", "3", "req_4", model: "claude-opus-4-5", session: "s2");
        return till;
    }
}
