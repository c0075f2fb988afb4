using Ccp.Store;

namespace Ccp.Tests.Store;

public sealed class DatabaseTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_store_is_opened_again_as_it_was_left()
    {
        using (var first = Open())
        {
            first.Run("INSERT INTO meta (key, value) VALUES ($1, $2)", "a", "1");
        }

        using var second = Open();
        Assert.Equal("1", second.QueryFirst("SELECT value FROM meta WHERE key = $1", row => row.GetString(0), "a"));
    }

    [Fact]
    public void A_store_of_a_newer_ccp_is_left_alone()
    {
        using (var newer = Open())
        {
            newer.Execute("PRAGMA user_version = 1000");
        }

        var error = Assert.Throws<StoreUnavailableException>(() => Open());
        Assert.Contains("newer ccp", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_store_is_refused_with_its_name()
    {
        File.WriteAllText(_folder["ccp.db"], new string('x', 5000));

        var error = Assert.Throws<StoreUnavailableException>(() => Open());
        Assert.Contains(_folder["ccp.db"], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_cannot_write_and_needs_a_store()
    {
        Assert.Throws<StoreUnavailableException>(() => Database.OpenReader(_folder["ccp.db"]));
        using var writer = Open();
        using var reader = Database.OpenReader(_folder["ccp.db"]);
        Assert.Throws<Microsoft.Data.Sqlite.SqliteException>(() => reader.Run("DELETE FROM meta"));
    }

    [Fact]
    public void A_change_that_hits_no_row_or_several_is_an_error_where_one_is_meant()
    {
        using var database = Open();
        Assert.Throws<InvalidOperationException>(() => database.RunOne("DELETE FROM meta"));
        database.Run("INSERT INTO meta (key, value) VALUES ('a', '1'), ('b', '1')");
        Assert.Throws<InvalidOperationException>(() => database.RunOne("UPDATE meta SET value = '2'"));
    }

    [Fact]
    public void Only_one_process_at_a_time_serves_a_store()
    {
        using (StoreLock.Take(_folder["ccp.db"]))
        {
            Assert.Contains("in use", Assert.Throws<StoreUnavailableException>(() => StoreLock.Take(_folder["ccp.db"])).Message, StringComparison.Ordinal);
        }

        StoreLock.Take(_folder["ccp.db"]).Dispose();
    }

    private Database Open() => Database.OpenWriter(_folder["ccp.db"], syncsEveryCommit: true);
}
