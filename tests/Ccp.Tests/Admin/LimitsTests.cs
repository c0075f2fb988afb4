using Ccp.Pricing;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

/// <summary>A user's own limits, given and taken away while ccp runs.</summary>
public sealed class LimitsTests
{
    private const string All =
        """{"concurrent":4,"requestsPerMinute":60,"tokensPerMinute":100000,"spendPerDay":20,"spendPerMonth":200.5,"models":["claude-haiku-*"],"allowFrom":["10.0.0.0/8","192.0.2.1/32"],"expires":"2027-01-31T00:00:00Z"}""";

    [Fact]
    public async Task They_hold_for_the_next_call_and_after_a_restart_and_are_shown()
    {
        await using var till = TillUnderTest.WithConfig("[limits]\nrequests_per_minute = 7");
        await till.AddUserAsync("alice", $$""","limits":{{All}}""");
        await till.RestartAsync("[limits]\nrequests_per_minute = 7\nconcurrent = 3");

        Assert.Equal(All, await ShownAsync(till, "limits"));
        var limits = till.User("alice").Limits;
        Assert.Equal((4, 60L, new NanoUsd(20 * NanoUsd.PerDollar)), (limits.Concurrent, limits.RequestsPerMinute, limits.SpendPerDay));
        Assert.Equal("10.0.0.0/8", limits.AllowFrom[0].ToString());

        // Named and null takes one away, not named leaves it.
        var change = await till.AskAsync("PUT", "/admin/users/alice", """{"limits":{"concurrent":null,"requestsPerMinute":null,"spendPerDay":"0.25","allowFrom":[],"tokensPerMinute":0}}""");

        Assert.Equal(200, change.Status);
        Assert.Contains("limits changed (concurrent, requests per minute, spend per day, allow from, tokens per minute)", change.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("""{"tokensPerMinute":0,"spendPerDay":0.25,"spendPerMonth":200.5,"models":["claude-haiku-*"],"expires":"2027-01-31T00:00:00Z"}""", await ShownAsync(till, "limits"));
        Assert.Equal(
            """{"concurrent":3,"requestsPerMinute":7,"spendPerDay":0.25,"spendPerMonth":200.5,"models":["claude-haiku-*"],"expires":"2027-01-31T00:00:00Z"}""",
            await ShownAsync(till, "limitsInForce"));
        Assert.Equal((3, 7L, 0L), (till.User("alice").Limits.Concurrent, till.User("alice").Limits.RequestsPerMinute, till.User("alice").Limits.TokensPerMinute));
    }

    [Fact]
    public async Task A_change_of_something_else_leaves_them()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","limits":{"concurrent":4}""");

        await till.AskAsync("PUT", "/admin/users/alice", """{"disabled":true,"limits":{}}""");
        await till.AskAsync("POST", "/admin/users/alice/token");

        Assert.Equal("""{"concurrent":4}""", await ShownAsync(till, "limits"));
    }

    [Theory]
    [InlineData("""7""")]
    [InlineData("""{"concurrent":0}""")]
    [InlineData("""{"concurrent":1.5}""")]
    [InlineData("""{"concurrent":"4"}""")]
    [InlineData("""{"concurrent":4,"concurrent":5}""")]
    [InlineData("""{"requestsPerMinute":-1}""")]
    [InlineData("""{"tokensPerMinute":99999999999}""")]
    [InlineData("""{"spendPerDay":-1}""")]
    [InlineData("""{"spendPerDay":1e3}""")]
    [InlineData("""{"spendPerMonth":[]}""")]
    [InlineData("""{"models":"claude-*"}""")]
    [InlineData("""{"models":["a b"]}""")]
    [InlineData("""{"models":["\ud800"]}""")]
    [InlineData("""{"allowFrom":["10.0.0.1/8"]}""")]
    [InlineData("""{"expires":"tomorrow"}""")]
    [InlineData("""{"expires":"2027-02-30"}""")]
    [InlineData("""{"expires":"2027-01-31T18:00:00"}""")]
    [InlineData("""{"Concurrent":4}""")]
    public async Task What_cannot_be_kept_is_refused_and_nothing_is_changed(string limits)
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","limits":{"concurrent":4}""");

        var answer = await till.AskAsync("PUT", "/admin/users/alice", $$"""{"disabled":true,"limits":{{limits}}}""");

        Assert.Equal(400, answer.Status);
        Assert.NotEmpty(answer.Error);
        Assert.False(till.User("alice").IsDisabled);
        Assert.Equal("""{"concurrent":4}""", await ShownAsync(till, "limits"));
    }

    [Theory]
    [InlineData("2027-01-31", "2027-01-31T00:00:00Z")]
    [InlineData("2027-01-31T18:00Z", "2027-01-31T18:00:00Z")]
    [InlineData("2027-01-31T18:00:05Z", "2027-01-31T18:00:05Z")]
    [InlineData("2027-01-31T18:00:05+02:00", "2027-01-31T16:00:05Z")]
    public async Task A_date_means_its_first_moment_in_utc(string stated, string shown)
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", $$""","limits":{"expires":"{{stated}}"}""");

        Assert.Equal($$"""{"expires":"{{shown}}"}""", await ShownAsync(till, "limits"));
    }

    [Theory]
    [InlineData(""","isAdmin":true""")]
    [InlineData(""","billing":false""")]
    public async Task A_spending_limit_of_one_who_is_not_charged_would_count_nothing_and_is_refused(string more)
    {
        await using var till = TillUnderTest.WithConfig();
        Assert.Equal(409, (await till.AskAsync("POST", "/admin/users", $$$"""{"username":"bob","limits":{"spendPerDay":5}{{{more}}}}""")).Status);
        await till.AddUserAsync("alice", ""","limits":{"spendPerDay":5}""");

        Assert.Equal(409, (await till.AskAsync("PUT", "/admin/users/alice", "{" + more[1..] + "}")).Status);
        Assert.True(till.User("alice").IsCharged);
        Assert.Equal(200, (await till.AskAsync("PUT", "/admin/users/alice", $$$"""{"limits":{"spendPerDay":null}{{{more}}}}""")).Status);
    }

    [Fact]
    public async Task What_the_file_states_is_changed_there_and_what_it_leaves_open_here()
    {
        await using var till = TillUnderTest.WithConfig("""
            [[user]]
            name = "alice"
            models = ["claude-haiku-*"]
            limits = { concurrent = 4 }
            """);

        Assert.Equal(409, (await till.AskAsync("PUT", "/admin/users/alice", """{"limits":{"concurrent":400}}""")).Status);
        Assert.Equal(409, (await till.AskAsync("PUT", "/admin/users/alice", """{"limits":{"models":null}}""")).Status);
        Assert.Equal(200, (await till.AskAsync("PUT", "/admin/users/alice", """{"limits":{"spendPerDay":5}}""")).Status);
        Assert.Equal("""{"concurrent":4,"spendPerDay":5,"models":["claude-haiku-*"]}""", await ShownAsync(till, "limits"));

        // The file's own are not copied into the store.
        await till.RestartAsync("""
            [[user]]
            name = "alice"
            """);
        Assert.Equal("""{"spendPerDay":5}""", await ShownAsync(till, "limits"));
    }

    [Fact]
    public async Task Limits_that_cannot_be_read_are_not_taken_for_none()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","limits":{"concurrent":4}""");
        await till.Till.Writes.WriteAsync(database => database.Run("UPDATE user SET limits = '{\"concurrent\":'"));

        var error = Assert.Throws<Ccp.Store.StoreUnavailableException>(() => till.Till.UserStore.Load(Reader(till), []));
        Assert.Contains("alice", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_admin_who_has_expired_is_nobody()
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("boss", ""","isAdmin":true,"limits":{"expires":"2026-11-22"}""");

        var answer = await till.AskWithAsync(null, "POST", "/validate-token", $$"""{"token":"{{token}}"}""");

        Assert.False(answer.Json.GetProperty("valid").GetBoolean());
        Assert.Contains("expired", answer.Error, StringComparison.Ordinal);
    }

    private static Ccp.Store.Database Reader(TillUnderTest till) => Ccp.Store.Database.OpenReader(till.Till.DatabasePath);

    private static async Task<string> ShownAsync(TillUnderTest till, string member) =>
        (await till.AskAsync("GET", "/admin/users")).Json.GetProperty("alice").GetProperty(member).GetRawText();
}
