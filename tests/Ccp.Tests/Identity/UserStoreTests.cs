using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Store;
using Ccp.Tests.Ledger;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Tests.Identity;

public sealed class UserStoreTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly KeyVault _vault = new(Books.Master);
    private readonly Database _database;
    private readonly UserStore _users;

    public UserStoreTests()
    {
        _database = Database.OpenWriter(_folder["ccp.db"], syncsEveryCommit: false);
        _users = new UserStore(_vault, UserLimits.BuiltIn, new ManualClock());
    }

    public void Dispose()
    {
        _database.Dispose();
        _vault.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_user_comes_back_as_it_was_written()
    {
        var id = _users.Insert(_database, "alice", AccessToken.HashOf("token"), isAdmin: false);
        _users.SetUpstreamKey(_database, id, new Secret("sk-own"));
        _database.Run("UPDATE user SET is_admin = 1, is_disabled = 1, is_billed = 0, markup = '1.25' WHERE id = $1", id);

        var user = Assert.Single(Load());
        Assert.Equal(("alice", true, true, false, 1.25m), (user.Name, user.IsAdmin, user.IsDisabled, user.IsBilled, user.Markup!.Value));
        Assert.Equal(AccessToken.HashOf("token"), user.Token);
        Assert.Equal("sk-own", user.UpstreamKey!.Reveal());
        Assert.False(user.IsCharged);
        Assert.DoesNotContain("sk-own", user.ToString(), StringComparison.Ordinal);

        _users.SetUpstreamKey(_database, id, null);
        Assert.Null(Assert.Single(Load()).UpstreamKey);
    }

    [Fact]
    public void Neither_a_token_nor_a_key_lies_in_the_store_in_the_clear()
    {
        var id = _users.Insert(_database, "alice", AccessToken.HashOf("the-token-itself"), isAdmin: false);
        _users.SetUpstreamKey(_database, id, new Secret("the-key-itself"));
        _database.Execute("PRAGMA wal_checkpoint(TRUNCATE)");

        var bytes = File.ReadAllBytes(_folder["ccp.db"]);
        Assert.True(bytes.AsSpan().IndexOf("alice"u8) > 0);
        Assert.True(bytes.AsSpan().IndexOf("the-token-itself"u8) < 0);
        Assert.True(bytes.AsSpan().IndexOf("the-key-itself"u8) < 0);
    }

    [Fact]
    public void What_the_file_states_stands_over_the_store_and_what_it_leaves_out_does_not()
    {
        var id = _users.Insert(_database, "alice", AccessToken.HashOf("stored"), isAdmin: true);
        _database.Run("UPDATE user SET markup = '3' WHERE id = $1", id);

        var untouched = Assert.Single(Load(InFile("alice")));
        Assert.Equal((AccessToken.HashOf("stored"), true, true, 3m), (untouched.Token, untouched.IsAdmin, untouched.IsBilled, untouched.Markup));

        var stated = new UserConfig("alice", AccessToken.HashOf("filed").ToString(), IsAdmin: false, Key: "team", IsBilled: false, Markup: 0.5m);
        var over = Assert.Single(Load(stated));
        Assert.Equal((AccessToken.HashOf("filed"), false, false, 0.5m, "team"), (over.Token, over.IsAdmin, over.IsBilled, over.Markup, over.KeyName));
    }

    [Fact]
    public void A_user_taken_out_of_the_file_is_disabled_and_keeps_the_account()
    {
        _users.AdoptFileUsers(_database, [InFile("alice")]);
        _users.AdoptFileUsers(_database, [InFile("alice")]);
        var account = Assert.Single(Load(InFile("alice"))).AccountId;

        Assert.True(Assert.Single(Load()).IsDisabled);
        var back = Assert.Single(Load(InFile("alice")));
        Assert.False(back.IsDisabled);
        Assert.Equal(account, back.AccountId);
    }

    [Fact]
    public void A_user_of_the_store_that_the_file_takes_over_keeps_the_account()
    {
        _users.Insert(_database, "alice", AccessToken.HashOf("stored"), isAdmin: false);
        var account = Assert.Single(Load()).AccountId;
        _users.AdoptFileUsers(_database, [InFile("alice")]);
        Assert.Equal(account, Assert.Single(Load(InFile("alice"))).AccountId);
    }

    [Fact]
    public void Two_claimants_of_one_token_identify_neither()
    {
        _users.Insert(_database, "alice", AccessToken.HashOf("same"), isAdmin: false);
        _users.AdoptFileUsers(_database, [InFile("bob")]);
        var directory = new UserDirectory();
        directory.Replace(Load(new UserConfig("bob", AccessToken.HashOf("same").ToString(), null, null, null, null)));
        Assert.False(directory.Identify("same").Allows(out _, out _));

        Assert.Throws<SqliteException>(() => _users.Insert(_database, "carol", AccessToken.HashOf("same"), isAdmin: false));
    }

    [Fact]
    public void A_deleted_user_is_gone_and_the_name_comes_with_a_new_account()
    {
        var first = _users.Insert(_database, "alice", AccessToken.HashOf("old"), isAdmin: false);
        var account = Assert.Single(Load()).AccountId;
        Assert.Throws<SqliteException>(() => _users.Insert(_database, "alice", null, isAdmin: false));
        _users.Delete(_database, first);
        Assert.Empty(Load());
        Assert.Throws<InvalidOperationException>(() => UserStore.SetToken(_database, first, AccessToken.HashOf("new")!.Value));

        _users.Insert(_database, "alice", AccessToken.HashOf("old"), isAdmin: false);
        Assert.NotEqual(account, Assert.Single(Load()).AccountId);
    }

    private static UserConfig InFile(string name) => new(name, null, null, null, null, null);

    private IReadOnlyList<User> Load(params UserConfig[] file) => _users.Load(_database, file);
}
