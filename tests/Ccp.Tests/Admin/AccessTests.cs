using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

public sealed class AccessTests
{
    public static readonly TheoryData<string, string> ForAdmins = new()
    {
        { "GET", "/healthz" },
        { "GET", "/readyz" },
        { "GET", "/metrics" },
        { "GET", "/admin/users" },
        { "POST", "/admin/users" },
        { "PUT", "/admin/users/root" },
        { "DELETE", "/admin/users/root" },
        { "POST", "/admin/users/root/token" },
        { "GET", "/admin/balance/root" },
        { "POST", "/admin/balance/root" },
        { "GET", "/admin/usage" },
        { "GET", "/admin/usage/by" },
        { "GET", "/admin/ledger" },
        { "GET", "/admin/ledger/verify" },
        { "GET", "/admin/db/check" },
        { "GET", "/admin/requests" },
        { "GET", "/admin/license" },
        { "POST", "/admin/license" },
        { "DELETE", "/admin/license" },
        { "GET", "/v1/usage" },
        { "GET", "/v1/quotas" },
        { "POST", "/v1/quotas/reload" },
        { "GET", "/admin/no-such-thing" },
    };

    [Theory]
    [MemberData(nameof(ForAdmins))]
    public async Task Only_admins_are_let_in(string method, string path)
    {
        await using var till = TillUnderTest.WithConfig();
        var admin = await till.AddUserAsync("root", ""","isAdmin":true""");
        var user = await till.AddUserAsync("alice");

        Assert.Equal(401, (await till.AskWithAsync(null, method, path)).Status);
        Assert.Equal(401, (await till.AskWithAsync("wrong", method, path)).Status);
        Assert.Equal(403, (await till.AskWithAsync(user, method, path)).Status);
        Assert.DoesNotContain((await till.AskWithAsync(admin, method, path)).Status, new[] { 401, 403 });
    }

    [Fact]
    public async Task An_admin_who_was_disabled_is_nobody()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("root", ""","isAdmin":true""");
        var token = await till.AddUserAsync("second", ""","isAdmin":true""");
        await till.AskAsync("PUT", "/admin/users/second", """{"disabled":true}""");

        Assert.Equal(401, (await till.AskWithAsync(token, "GET", "/admin/users")).Status);
    }

    [Theory]
    [InlineData("/user/balance")]
    [InlineData("/user/usage")]
    public async Task What_is_a_users_own_needs_the_users_token(string path)
    {
        await using var till = TillUnderTest.WithConfig();

        Assert.Equal(401, (await till.AskWithAsync(null, "GET", path)).Status);
        Assert.Equal(401, (await till.AskAsync("GET", path)).Status);
    }

    [Fact]
    public async Task Anyone_may_ask_whether_ccp_is_there()
    {
        await using var till = TillUnderTest.WithConfig();

        var answer = await till.AskWithAsync(null, "GET", "/status");

        Assert.Equal(200, answer.Status);
        Assert.Equal("ok", answer.Json.GetProperty("status").GetString());
        Assert.NotEmpty(answer.Json.GetProperty("version").GetString()!);
    }

    [Fact]
    public async Task Readiness_says_how_the_store_is()
    {
        await using var till = TillUnderTest.WithConfig();

        var answer = await till.AskAsync("GET", "/readyz");

        Assert.Equal(200, answer.Status);
        Assert.Equal("""{"ready":true,"store":"ok","license":"community: there is no license","circuits":{"anthropic":"ok","zai":"ok"}}""", answer.Text);
    }

    [Fact]
    public async Task Readiness_fails_while_a_settlement_cannot_be_written()
    {
        await using var till = TillUnderTest.WithConfig();
        _ = till.Till.Writes.MustWriteAsync(_ => throw new InvalidOperationException("broken"));
        while (till.Till.Writes.Problem is null)
        {
            await Task.Yield();
        }

        var answer = await till.AskAsync("GET", "/readyz");

        Assert.Equal(503, answer.Status);
        Assert.False(answer.Json.GetProperty("ready").GetBoolean());
        Assert.Contains("broken", answer.Json.GetProperty("store").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_tells_what_it_is_good_for()
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("alice", ""","initialBalance":50.5""");

        var good = await till.AskWithAsync(null, "POST", "/validate-token", $$"""{"token":"{{token}}"}""");
        var wrong = await till.AskWithAsync(null, "POST", "/validate-token", """{"token":"3f2b8c1e-9d47-4a60-8e15-7c0d2b9a4f61"}""");

        Assert.Equal("""{"valid":true,"username":"alice","isAdmin":false,"balance":50.5}""", good.Text);
        Assert.Equal(200, wrong.Status);
        Assert.False(wrong.Json.GetProperty("valid").GetBoolean());
        Assert.False(wrong.Json.TryGetProperty("username", out _));
    }

    [Fact]
    public async Task The_token_of_a_disabled_user_is_not_valid_and_says_why()
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("alice");
        await till.AskAsync("PUT", "/admin/users/alice", """{"disabled":true}""");

        var answer = await till.AskWithAsync(null, "POST", "/validate-token", $$"""{"token":"{{token}}"}""");

        Assert.False(answer.Json.GetProperty("valid").GetBoolean());
        Assert.Contains("disabled", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Guessing_at_tokens_is_slowed_down_for_a_minute()
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("alice");
        for (var guess = 0; guess < 20; guess++)
        {
            Assert.Equal(200, (await till.AskWithAsync(null, "POST", "/validate-token", """{"token":"guess"}""")).Status);
        }

        var answer = await till.AskWithAsync(null, "POST", "/validate-token", """{"token":"guess"}""");
        Assert.Equal((429, 3), (answer.Status, answer.RetryAfterSeconds));

        // A right token is served meanwhile, here as everywhere: nobody guesses one, and colleagues share addresses.
        Assert.Equal(200, (await till.AskWithAsync(null, "POST", "/validate-token", $$"""{"token":"{{token}}"}""")).Status);
        till.Clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(200, (await till.AskWithAsync(null, "POST", "/validate-token", """{"token":"guess"}""")).Status);
    }

    [Theory]
    [InlineData("POST", "/status", 405)]
    [InlineData("POST", "/metrics", 405)]
    [InlineData("GET", "/validate-token", 405)]
    [InlineData("PATCH", "/admin/users/root", 405)]
    [InlineData("POST", "/admin/ledger", 405)]
    [InlineData("GET", "/admin/nothing", 404)]
    [InlineData("GET", "/admin/users/a/b/c", 404)]
    public async Task Other_methods_and_paths_are_refused(string method, string path, int status)
    {
        await using var till = TillUnderTest.WithConfig();

        var answer = await till.AskAsync(method, path);

        Assert.Equal(status, answer.Status);
        Assert.NotEmpty(answer.Error);
    }

    [Fact]
    public async Task What_is_done_carries_the_name_of_who_did_it()
    {
        await using var till = TillUnderTest.WithConfig();
        var admin = await till.AddUserAsync("root", ""","isAdmin":true""");
        await till.AddUserAsync("alice");

        await till.AskWithAsync(admin, "POST", "/admin/balance/alice", """{"amount":50}""");

        Assert.Equal("root", (await till.AskAsync("GET", "/admin/ledger")).Json[0].GetProperty("actor").GetString());
    }
}
