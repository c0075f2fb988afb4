using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

/// <summary>Users whom the configuration file states: what it states is changed there and nowhere else.</summary>
public sealed class FileUserTests
{
    private const string Token = "3f2b8c1e-9d47-4a60-8e15-7c0d2b9a4f61";

    private const string Stated = """
        [[user]]
        name = "alice"
        token_sha256 = "9fe3af411e6e99a2a85aae51e11e50581135379debbce2861fc66c7b314f426b"
        admin = true
        billing = true
        markup = 1.5
        """;

    [Theory]
    [InlineData("""{"isAdmin":false}""")]
    [InlineData("""{"billing":false}""")]
    [InlineData("""{"markup":2}""")]
    [InlineData("""{"resetToken":true}""")]
    public async Task What_the_file_states_cannot_be_changed(string body)
    {
        await using var till = TillUnderTest.WithConfig(Stated);
        await till.AddUserAsync("root", ""","isAdmin":true""");

        var answer = await till.AskAsync("PUT", "/admin/users/alice", body);

        Assert.Equal(409, answer.Status);
        Assert.Contains("configuration file", answer.Error, StringComparison.Ordinal);
        Assert.True(till.Till.Users.Identify(Token).Allows(out var alice, out _));
        Assert.True(alice is { IsAdmin: true, IsBilled: true, Markup: 1.5m });
    }

    [Fact]
    public async Task A_user_in_the_file_cannot_be_deleted_or_given_a_token_beside_the_stated_one()
    {
        await using var till = TillUnderTest.WithConfig(Stated);
        await till.AddUserAsync("root", ""","isAdmin":true""");

        Assert.Equal(409, (await till.AskAsync("DELETE", "/admin/users/alice")).Status);
        Assert.Equal(409, (await till.AskAsync("POST", "/admin/users/alice/token")).Status);
    }

    [Fact]
    public async Task What_the_file_leaves_open_can_be_changed()
    {
        await using var till = TillUnderTest.WithConfig("""
            [[user]]
            name = "alice"
            """);

        var token = await till.AskAsync("POST", "/admin/users/alice/token");
        var change = await till.AskAsync("PUT", "/admin/users/alice", """{"disabled":true,"markup":3,"anthropicApiKey":"sk-own"}""");

        Assert.Equal(200, token.Status);
        Assert.Equal(200, change.Status);
        Assert.True(till.User("alice") is { IsDisabled: true, Markup: 3m, IsFromFile: true });
    }

    [Fact]
    public async Task A_change_beside_a_stated_setting_does_not_copy_it_into_the_store()
    {
        await using var till = TillUnderTest.WithConfig(Stated);

        Assert.Equal(200, (await till.AskAsync("PUT", "/admin/users/alice", """{"isAdmin":true,"markup":1.5,"anthropicApiKey":"sk-own"}""")).Status);
        await till.RestartAsync("""
            [[user]]
            name = "alice"
            """);

        Assert.True(till.User("alice") is { Markup: null, UpstreamKey: not null });
    }

    [Fact]
    public async Task A_user_taken_out_of_the_file_stays_disabled_until_deleted()
    {
        await using var till = TillUnderTest.WithConfig(Stated);
        await till.RestartAsync();

        var enabled = await till.AskAsync("PUT", "/admin/users/alice", """{"disabled":false}""");

        Assert.Equal(409, enabled.Status);
        Assert.True(till.User("alice").IsDisabled);
        Assert.Equal(200, (await till.AskAsync("DELETE", "/admin/users/alice")).Status);
        await till.AddUserAsync("alice");
        Assert.False(till.User("alice").IsDisabled);
    }
}
