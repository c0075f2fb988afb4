using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

/// <summary>The user of local mode: how it comes into being, what it never is, and what becomes of one that was there.</summary>
public sealed class LocalUserTests
{
    private const string Local = "[auth]\nmode = \"local\"\n";

    [Fact]
    public async Task It_is_made_once_without_a_token_and_is_neither_an_admin_nor_charged()
    {
        await using var till = TillUnderTest.WithConfig(Local);

        var made = till.User("local");
        Assert.True(made is { Token: null, IsAdmin: false, IsBilled: false, IsCharged: false, IsDisabled: false });

        await till.RestartAsync(Local);
        Assert.Equal((made.Id, made.AccountId), (till.User("local").Id, till.User("local").AccountId));
        Assert.Equal("local", Assert.Single((await till.AskAsync("GET", "/admin/users")).Json.EnumerateObject()).Name);
    }

    [Fact]
    public async Task One_that_was_there_keeps_its_balance_and_token_and_is_not_charged_and_no_admin_meanwhile()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("root", ""","isAdmin":true""");
        var token = await till.AddUserAsync("local", ""","isAdmin":true,"initialBalance":50""");
        var before = till.User("local");

        await till.RestartAsync(Local);

        var now = till.User("local");
        Assert.True(now is { IsAdmin: false, IsCharged: false, IsDisabled: false });
        Assert.Equal((before.Id, before.AccountId, before.Token), (now.Id, now.AccountId, now.Token));
        Assert.Equal("50", (await till.AskAsync("GET", "/admin/balance/local")).Digits("balance"));
        Assert.Equal(403, (await till.AskWithAsync(token, "GET", "/admin/users")).Status);
    }

    [Fact]
    public async Task Back_with_tokens_it_is_disabled_until_the_file_states_it_and_nothing_of_it_is_lost()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("local", ""","initialBalance":50""");
        await till.RestartAsync(Local);

        await till.RestartAsync();
        Assert.True(till.User("local") is { IsDisabled: true, IsBilled: true });

        await till.RestartAsync("[[user]]\nname = \"local\"");
        Assert.True(till.User("local") is { IsDisabled: false, IsCharged: true });
        Assert.Equal("50", (await till.AskAsync("GET", "/admin/balance/local")).Digits("balance"));
    }

    [Theory]
    [InlineData("PUT", """{"isAdmin":true}""", "neither an admin nor charged")]
    [InlineData("PUT", """{"billing":true}""", "neither an admin nor charged")]
    [InlineData("DELETE", "", "Disable local instead")]
    public async Task It_can_be_made_no_admin_not_charged_and_not_deleted(string method, string body, string word)
    {
        await using var till = TillUnderTest.WithConfig(Local);
        await till.AddUserAsync("root", ""","isAdmin":true""");

        var answer = await till.AskAsync(method, "/admin/users/local", body);

        Assert.Equal(409, answer.Status);
        Assert.Contains(word, answer.Error, StringComparison.Ordinal);
        Assert.True(till.User("local") is { IsAdmin: false, IsCharged: false });
    }

    [Fact]
    public async Task All_the_rest_of_it_can_be_changed()
    {
        await using var till = TillUnderTest.WithConfig(Local);

        Assert.Equal(200, (await till.AskAsync("PUT", "/admin/users/local", """{"isAdmin":false,"billing":false,"disabled":true,"anthropicApiKey":"sk-own","limits":{"concurrent":3}}""")).Status);

        Assert.True(till.User("local") is { IsDisabled: true, UpstreamKey: not null, Limits.Concurrent: 3 });
    }

    [Fact]
    public async Task Other_users_of_local_mode_are_as_ever()
    {
        await using var till = TillUnderTest.WithConfig(Local);
        var admin = await till.AddUserAsync("root", ""","isAdmin":true""");
        await till.AddUserAsync("alice", ""","initialBalance":50""");

        Assert.True(till.User("alice").IsCharged);
        Assert.Equal(200, (await till.AskWithAsync(admin, "GET", "/admin/users")).Status);
        Assert.Equal(401, (await till.AskWithAsync(null, "GET", "/admin/users")).Status);
        Assert.Equal(200, (await till.AskAsync("DELETE", "/admin/users/alice")).Status);
    }

    [Fact]
    public async Task The_doctor_says_that_the_mode_is_local()
    {
        await using var till = TillUnderTest.WithConfig(Local);
        Assert.Contains("auth.mode is local: whoever reaches ccp from its own host may call without a token", (await till.AskAsync("GET", "/admin/doctor")).Text, StringComparison.Ordinal);

        await till.RestartAsync();
        Assert.DoesNotContain("auth.mode", (await till.AskAsync("GET", "/admin/doctor")).Text, StringComparison.Ordinal);
    }
}
