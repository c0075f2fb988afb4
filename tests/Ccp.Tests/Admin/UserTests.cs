using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

public sealed class UserTests
{
    [Fact]
    public async Task A_new_user_gets_a_token_that_works_and_is_shown_once()
    {
        await using var till = TillUnderTest.WithConfig();

        var answer = await till.AskAsync("POST", "/admin/users", """{"username":"alice","anthropicApiKey":"sk-own","initialBalance":50,"isAdmin":false}""");

        Assert.Equal(201, answer.Status);
        Assert.Equal("alice", answer.Json.GetProperty("username").GetString());
        Assert.NotEmpty(answer.Json.GetProperty("message").GetString()!);
        Assert.Equal("50", answer.Digits("currentBalance"));
        var token = answer.Json.GetProperty("token").GetString()!;
        Assert.True(till.Till.Users.Identify(token).Allows(out var user, out _));
        Assert.Equal("sk-own", user.UpstreamKey!.Reveal());
        Assert.False(user.IsAdmin);
        var list = await till.AskAsync("GET", "/admin/users");
        Assert.DoesNotContain(token, list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(user.Token.ToString()!, list.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-own", list.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_is_keyed_by_name_and_says_what_each_user_is_and_used()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","initialBalance":50,"anthropicApiKey":"sk-own","markup":1.5""");
        await till.AddUserAsync("root", ""","isAdmin":true""");
        await till.ChargeAsync("alice", "0.25", "req_1");

        var list = (await till.AskAsync("GET", "/admin/users")).Json;

        Assert.Equal(["alice", "root"], list.EnumerateObject().Select(user => user.Name));
        Assert.Equal(
            """{"isAdmin":false,"disabled":false,"hasApiKey":true,"usage":{"requests":1,"tokens":54321,"balance":49.75},"limits":{},"createdAt":"2026-11-22T12:00:00+00:00","lastSeenAt":"2026-11-22T12:00:00+00:00","hasToken":true,"billing":true,"markup":1.5,"fromFile":false,"limitsInForce":{"concurrent":16}}""",
            list.GetProperty("alice").GetRawText());
        Assert.True(list.GetProperty("root").GetProperty("isAdmin").GetBoolean());
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"username":"a b"}""")]
    [InlineData("""{"username":""}""")]
    [InlineData("""{"username":".."}""")]
    [InlineData("""{"username":7}""")]
    [InlineData("""{"username":"alice","isAdmin":"yes"}""")]
    [InlineData("""{"username":"alice","anthropicApiKey":"line\nbreak"}""")]
    [InlineData("""{"username":"alice","markup":-1}""")]
    [InlineData("""{"username":"alice","isadmin":true}""")]
    [InlineData("""{"username":"alice","username":"bob"}""")]
    [InlineData("""{"username":"\ud800"}""")]
    [InlineData("""["alice"]""")]
    [InlineData("""{"username":"alice" """)]
    public async Task A_body_that_cannot_be_understood_is_refused_and_makes_nobody(string body)
    {
        await using var till = TillUnderTest.WithConfig();

        var answer = await till.AskAsync("POST", "/admin/users", body);

        Assert.Equal(400, answer.Status);
        Assert.NotEmpty(answer.Error);
        Assert.Empty(till.Till.Users.All);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused()
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("alice");

        var answer = await till.AskAsync("POST", "/admin/users", """{"username":"alice"}""");

        Assert.Equal(409, answer.Status);
        Assert.True(till.Till.Users.Identify(token).Allows(out _, out _));
    }

    [Fact]
    public async Task An_initial_balance_under_the_minimum_makes_nobody()
    {
        await using var till = TillUnderTest.WithConfig();

        var answer = await till.AskAsync("POST", "/admin/users", """{"username":"alice","initialBalance":49.999999999}""");

        Assert.Equal(400, answer.Status);
        Assert.Equal("""{"error":"Minimum payment is $50","minimumPayment":50}""", answer.Text);
        Assert.Empty(till.Till.Users.All);
    }

    [Fact]
    public async Task A_change_changes_what_it_names_and_nothing_else()
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("alice", ""","anthropicApiKey":"sk-own","markup":"1.5" """);

        var answer = await till.AskAsync("PUT", "/admin/users/alice", """{"disabled":true,"billing":false,"isAdmin":null}""");

        Assert.Equal(200, answer.Status);
        Assert.Equal("alice", answer.Json.GetProperty("username").GetString());
        Assert.Equal("0", answer.Digits("currentBalance"));
        Assert.False(answer.Json.TryGetProperty("token", out _));
        var alice = till.User("alice");
        Assert.True(alice is { IsDisabled: true, IsBilled: false, IsAdmin: false, Markup: 1.5m });
        Assert.Equal("sk-own", alice.UpstreamKey!.Reveal());
        Assert.False(till.Till.Users.Identify(token).Allows(out _, out _));
    }

    [Fact]
    public async Task An_empty_key_takes_the_key_away_and_the_default_markup_comes_back_by_its_name()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","anthropicApiKey":"sk-own","markup":3""");

        await till.AskAsync("PUT", "/admin/users/alice", """{"anthropicApiKey":"","markup":"default"}""");

        Assert.True(till.User("alice") is { UpstreamKey: null, Markup: null });
    }

    [Fact]
    public async Task A_change_can_top_up_by_the_rule_of_top_ups()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice");

        var small = await till.AskAsync("PUT", "/admin/users/alice", """{"addBalance":1,"disabled":true}""");
        var enough = await till.AskAsync("PUT", "/admin/users/alice", """{"addBalance":50.1}""");

        Assert.Equal(400, small.Status);
        Assert.False(till.User("alice").IsDisabled);
        Assert.Equal("50.1", enough.Digits("currentBalance"));
    }

    [Theory]
    [InlineData("POST", "/admin/users/alice/token", "")]
    [InlineData("PUT", "/admin/users/alice", """{"resetToken":true}""")]
    public async Task A_new_token_works_and_the_old_one_is_dead_at_once(string method, string path, string body)
    {
        await using var till = TillUnderTest.WithConfig();
        var old = await till.AddUserAsync("alice");

        var answer = await till.AskAsync(method, path, body);

        Assert.Equal(200, answer.Status);
        Assert.False(till.Till.Users.Identify(old).Allows(out _, out _));
        Assert.True(till.Till.Users.Identify(answer.Json.GetProperty("token").GetString()).Allows(out _, out _));
        await till.RestartAsync();
        Assert.False(till.Till.Users.Identify(old).Allows(out _, out _));
    }

    [Theory]
    [InlineData("PUT", """{"isAdmin":false}""")]
    [InlineData("PUT", """{"disabled":true}""")]
    [InlineData("DELETE", "")]
    public async Task The_last_enabled_admin_stays(string method, string body)
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("root", ""","isAdmin":true""");
        await till.AddUserAsync("second", ""","isAdmin":true""");
        await till.AskAsync("PUT", "/admin/users/second", """{"disabled":true}""");

        var refused = await till.AskAsync(method, "/admin/users/root", body);

        Assert.Equal(409, refused.Status);
        Assert.True(till.Till.Users.Identify(token).Allows(out var root, out _) && root.IsAdmin);

        await till.AskAsync("PUT", "/admin/users/second", """{"disabled":false}""");
        Assert.Equal(200, (await till.AskAsync(method, "/admin/users/root", body)).Status);
    }

    [Fact]
    public async Task Two_admins_who_demote_each_other_leave_one()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("one", ""","isAdmin":true""");
        await till.AddUserAsync("two", ""","isAdmin":true""");

        var answers = await Task.WhenAll(
            Task.Run(() => till.AskAsync("PUT", "/admin/users/one", """{"isAdmin":false}""")),
            Task.Run(() => till.AskAsync("PUT", "/admin/users/two", """{"isAdmin":false}""")));

        Assert.Equal([200, 409], answers.Select(answer => answer.Status).Order());
        Assert.Single(till.Till.Users.All, user => user.IsAdmin);
    }

    [Fact]
    public async Task A_deleted_user_is_gone_but_the_history_stays_and_the_name_again_is_a_new_account()
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("alice", ""","initialBalance":60""");
        await till.ChargeAsync("alice", "10", "req_1");
        var account = till.User("alice").AccountId;

        var deleted = await till.AskAsync("DELETE", "/admin/users/alice");
        await till.AddUserAsync("alice", ""","initialBalance":50""");

        Assert.Equal(200, deleted.Status);
        Assert.False(till.Till.Users.Identify(token).Allows(out _, out _));
        Assert.NotEqual(account, till.User("alice").AccountId);
        Assert.Equal("50", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
        var entries = (await till.AskAsync("GET", "/admin/ledger?username=alice")).Json.EnumerateArray().ToList();
        Assert.Equal(["alice", $"alice#{account}", $"alice#{account}"], entries.Select(entry => entry.GetProperty("username").GetString()));
        var usage = (await till.AskAsync("GET", "/admin/usage")).Json;
        Assert.Equal("10", usage.GetProperty($"alice#{account}").GetProperty("costDollars").GetRawText());
        Assert.Equal("0", usage.GetProperty("alice").GetProperty("costDollars").GetRawText());
        Assert.True((await till.AskAsync("GET", "/admin/ledger/verify")).Json.GetProperty("ok").GetBoolean());
    }

    [Theory]
    [InlineData("PUT", "/admin/users/nobody")]
    [InlineData("DELETE", "/admin/users/nobody")]
    [InlineData("POST", "/admin/users/nobody/token")]
    [InlineData("GET", "/admin/balance/nobody")]
    [InlineData("DELETE", "/admin/users/")]
    [InlineData("GET", "/admin/usage?username=nobody")]
    [InlineData("GET", "/admin/ledger?username=nobody")]
    [InlineData("GET", "/admin/requests?username=nobody")]
    public async Task Who_is_not_there_is_not_found(string method, string path)
    {
        await using var till = TillUnderTest.WithConfig();

        Assert.Equal(404, (await till.AskAsync(method, path)).Status);
    }
}
