using System.Security.Cryptography;
using System.Text;
using Ccp.Identity;

namespace Ccp.Tests.Identity;

public sealed class AccessTokenTests
{
    private const string Token = "3f2b8c1e-9d47-4a60-8e15-7c0d2b9a4f61";

    [Fact]
    public void New_tokens_are_version_4_identifiers_and_never_the_same()
    {
        var tokens = Enumerable.Range(0, 1000).Select(_ => AccessToken.New()).ToHashSet();
        Assert.Equal(1000, tokens.Count);
        Assert.All(tokens, token => Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", token));
    }

    [Fact]
    public void A_token_is_kept_as_its_SHA_256_in_lower_case()
    {
        var expected = SHA256.HashData(Encoding.UTF8.GetBytes(Token));
        Assert.Equal(expected, AccessToken.HashOf(Token)!.Value.ToBytes());
        Assert.Equal(AccessToken.HashOf(Token), AccessToken.HashOf(Token.ToUpperInvariant()));
        Assert.Equal(Convert.ToHexStringLower(expected), AccessToken.HashOf(Token).ToString());
        Assert.Equal(AccessToken.HashOf(Token), TokenHash.FromBytes(expected));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(256, true)]
    [InlineData(257, false)]
    [InlineData(100_000, false)]
    public void A_token_of_a_strange_length_is_not_looked_at(int length, bool isHashed)
    {
        Assert.Equal(isHashed, AccessToken.HashOf(new string('\u20ac', length)) is not null);
    }

    [Fact]
    public void A_hash_of_another_size_is_no_hash()
    {
        Assert.Throws<ArgumentException>(() => TokenHash.FromBytes(new byte[31]));
    }

    [Theory]
    [InlineData(null, "TokenUnknown")]
    [InlineData("", "TokenUnknown")]
    [InlineData("nobody", "TokenUnknown")]
    [InlineData("alice", null)]
    [InlineData("ALICE", null)]
    [InlineData("disabled", "UserDisabled")]
    [InlineData("shared", "TokenUnknown")]
    public void A_token_identifies_who_holds_it_and_nobody_else(string? token, string? refusedAs)
    {
        var directory = new UserDirectory();
        directory.Replace(
        [
            Someone(1, "alice", "alice"),
            Someone(2, "bob", "shared"),
            Someone(3, "carol", "shared"),
            Someone(4, "dave", null),
            Someone(5, "eve", "disabled") with { IsDisabled = true },
        ]);

        directory.Identify(token).Allows(out var user, out var refusal);
        Assert.Equal(refusedAs, refusal?.Code.ToString());
        Assert.Equal(refusedAs is null ? "alice" : null, user?.Name);
        Assert.DoesNotContain("shared", refusal?.Message ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void A_replaced_directory_forgets_who_is_gone()
    {
        var directory = new UserDirectory();
        directory.Replace([Someone(1, "alice", "alice")]);
        directory.Replace([Someone(2, "bob", "bob")]);

        Assert.False(directory.Identify("alice").Allows(out _, out _));
        Assert.Null(directory.FindByName("alice"));
        Assert.Equal(2, directory.FindByName("bob")!.Id);
        Assert.Equal("bob", directory.FindById(2)!.Name);
        Assert.Null(directory.FindById(1));
    }

    internal static User Someone(long id, string name, string? token) => new(
        id,
        name,
        AccountId: id,
        token is null ? null : AccessToken.HashOf(token),
        IsAdmin: false,
        IsDisabled: false,
        IsBilled: true,
        Markup: null,
        KeyName: null,
        UpstreamKey: null,
        LaneOverride: null,
        IsFromFile: false,
        CreatedAt: DateTimeOffset.UnixEpoch,
        LastSeenAt: null);
}
