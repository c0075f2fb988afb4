using Ccp.Store;
using Ccp.Tests.Shared;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Store;

/// <summary>
/// Goal: whatever is wrong with the store is shown, closes admission, and ends by itself when its cause does; nothing is lost or written twice.
/// Method: a real file and the errors of SQLite itself: a size limit, a lock, damaged pages, a commit that reports an error and stands.
/// </summary>
public sealed class StoreTroubleTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualClock _clock = new();
    private Database _database;
    private WriteQueue _queue;
    private long _freeBytes = long.MaxValue;

    public StoreTroubleTests()
    {
        _database = Database.OpenWriter(_folder["ccp.db"], syncsEveryCommit: false);
        _queue = NewQueue();
    }

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync();
        _database.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_store_that_failed_while_nothing_was_running_is_asked_again_until_it_works()
    {
        using (Locked())
        {
            var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => PutAsync("hold"));
            Assert.Contains("Another program holds a lock on the store", error.Message, StringComparison.Ordinal);
            Assert.NotNull(_queue.Problem);
        }

        await Waiting.UntilAsync(_clock, () => _queue.Problem is null);
        Assert.Empty(Keys());
    }

    [Fact]
    public async Task A_lock_that_ends_in_time_makes_writes_wait_and_fails_nothing()
    {
        Task write;
        using (Locked())
        {
            write = PutAsync("hold");
            var settled = _queue.MustWriteAsync(database => Put(database, "charge", 1));
            Assert.False(write.IsCompleted || settled.IsCompleted);
            Assert.Null(_queue.Problem);
        }

        await write;
        Assert.Null(_queue.Problem);
    }

    [Fact]
    public async Task A_store_that_may_not_grow_keeps_what_must_be_written_until_it_may()
    {
        const int Size = 200_000;
        await _queue.WriteAsync(database => Limit(database, "page_count"));
        var topUp = _queue.WriteAsync(database => Put(database, "top-up", Size)).AsTask();
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => topUp);
        Assert.Contains("disk of the store is full", error.Message, StringComparison.Ordinal);
        var charge = _queue.MustWriteAsync(database => Put(database, "charge", Size));
        for (var second = 0; second < 5; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        await Waiting.UntilAsync(_clock, () => _queue.Unwritten == 1);
        Assert.False(charge.IsCompleted);
        Assert.Contains("disk of the store is full", _queue.Problem, StringComparison.Ordinal);

        // The limit is the connection's own, and the writer's thread owns the connection.
        var raised = _queue.WriteAsync(database => Limit(database, "1000000")).AsTask();
        await Waiting.UntilAsync(_clock, () => raised.IsCompleted && charge.IsCompleted);
        await charge;
        await Waiting.UntilAsync(() => _queue.Problem is null);
        Assert.Equal(0, _queue.Unwritten);
        Assert.Equal(["charge"], Keys());
    }

    [Fact]
    public async Task A_must_write_that_always_fails_keeps_no_other_from_the_disk_and_admission_closed()
    {
        using var gate = new ManualResetEventSlim();
        var first = _queue.WriteAsync(database =>
        {
            gate.Wait();
            return Put(database, "first", 1);
        }).AsTask();
        var before = _queue.MustWriteAsync(database => Put(database, "before", 1));
        var poisoned = _queue.MustWriteAsync(database => database.Run("INSERT INTO no_such_table VALUES (1)"));
        var after = _queue.MustWriteAsync(database => Put(database, "after", 1));
        var mayFail = PutAsync("may fail");
        gate.Set();

        // All in one group, and without a second's wait.
        await Task.WhenAll(first, before, after, mayFail).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await Waiting.UntilAsync(() => _queue.Unwritten == 1);
        Assert.Contains("no such table", _queue.Problem, StringComparison.Ordinal);

        var later = _queue.MustWriteAsync(database => Put(database, "later", 1));
        await Waiting.UntilAsync(_clock, () => later.IsCompleted);
        await Waiting.UntilAsync(() => _queue.Unwritten == 1);
        Assert.False(poisoned.IsCompleted);
        Assert.NotNull(_queue.Problem);
        Assert.Equal(["first", "before", "after", "may fail", "later"], Keys());

        using (var other = Database.OpenWriter(_folder["ccp.db"], syncsEveryCommit: false))
        {
            other.Execute("CREATE TABLE no_such_table (a)");
        }

        await Waiting.UntilAsync(_clock, () => poisoned.IsCompletedSuccessfully);
        await Waiting.UntilAsync(_clock, () => _queue.Problem is null);
    }

    [Fact]
    public async Task After_a_commit_of_unknown_outcome_memory_is_put_right_before_the_problem_ends()
    {
        var found = new List<string>();
        _queue.AfterFailure = database =>
        {
            Assert.NotNull(_queue.Problem);
            found.AddRange(database.Query("SELECT key FROM meta WHERE key = 'doubtful'", row => row.GetString(0)));
        };
        await _queue.WriteAsync(database =>
        {
            UnknownCommit.Begin(database);
            return true;
        }).AsTask().ContinueWith(static _ => { }, TaskScheduler.Default);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => PutAsync("doubtful"));
        Assert.Equal(["doubtful"], Keys());
        Assert.Empty(found);

        UnknownCommit.End(_database);
        await Waiting.UntilAsync(_clock, () => _queue.Problem is null);
        Assert.Equal(["doubtful"], found);
    }

    [Fact]
    public async Task A_damaged_page_is_shown_and_admission_stays_closed_whatever_else_works()
    {
        await FillAsync();
        await ReopenAsync(damaged: true);

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            _queue.WriteAsync(database => database.QueryFirst("SELECT sum(length(value)) FROM meta", row => row.GetInt64(0))).AsTask());
        Assert.Contains("damaged", error.Message, StringComparison.Ordinal);

        var elsewhere = _queue.MustWriteAsync(database => database.Run("INSERT INTO account (opened_as, opened_at_ms) VALUES ('a', 0)"));
        await Waiting.UntilAsync(_clock, () => elsewhere.IsCompletedSuccessfully);
        for (var second = 0; second < 5; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Contains("restore a backup", _queue.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damage_that_a_reader_meets_closes_admission_too()
    {
        await FillAsync();
        await ReopenAsync(damaged: true);
        using var reader = Database.OpenReader(_folder["ccp.db"]);

        var error = Assert.Throws<SqliteException>(() => reader.QueryFirst("SELECT sum(length(value)) FROM meta", row => row.GetInt64(0)));
        Assert.True(StoreFault.IsDamage(error));
        _queue.ReportDamage(StoreFault.Describe(error));
        await _queue.WriteAsync(database => database.Run("INSERT INTO account (opened_as, opened_at_ms) VALUES ('a', 0)"));

        Assert.Contains("damaged", _queue.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_room_on_the_disk_is_kept_for_what_runs()
    {
        Volatile.Write(ref _freeBytes, StoreHealth.FreeBytesMin - 1);
        await PutAsync("last hold");
        await Waiting.UntilAsync(() => _queue.Problem is not null);
        Assert.Contains("15 MiB left", _queue.Problem, StringComparison.Ordinal);

        var charge = _queue.MustWriteAsync(database => Put(database, "charge", 1));
        await charge;
        Assert.Equal(["last hold", "charge"], Keys());

        Volatile.Write(ref _freeBytes, StoreHealth.FreeBytesMin);
        await Waiting.UntilAsync(_clock, () => _queue.Problem is null);
    }

    [Fact]
    public async Task A_long_reader_makes_the_write_ahead_log_grow_and_its_end_gives_the_room_back()
    {
        var wal = new FileInfo(_folder["ccp.db-wal"]);
        using (var reader = Database.OpenReader(_folder["ccp.db"]))
        {
            reader.Run("BEGIN");
            reader.QueryFirst("SELECT count(*) FROM meta", row => row.GetInt64(0));
            for (var turn = 0; turn < 12; turn++)
            {
                await PutAsync($"{turn}", 6_000_000);
            }

            _clock.Advance(TimeSpan.FromSeconds(31));
            await PutAsync("looks");
            await Waiting.UntilAsync(() => _queue.Warning is not null);
            Assert.Contains("reads the store for a long time", _queue.Warning, StringComparison.Ordinal);
            Assert.Null(_queue.Problem);
            wal.Refresh();
            Assert.True(wal.Length > StoreHealth.WalBytesUsual, $"{wal.Length}");
        }

        // The first write after the reader empties the log, the second begins it anew, and the file is cut.
        await PutAsync("one");
        await PutAsync("two");
        _clock.Advance(TimeSpan.FromSeconds(31));
        await PutAsync("three");
        await Waiting.UntilAsync(() => _queue.Warning is null);
        wal.Refresh();
        Assert.InRange(wal.Length, 0, 9_000_000);
    }

    private static int Put(Database database, string key, int size)
    {
        database.RunOne("INSERT INTO meta (key, value) VALUES ($1, $2)", key, new string('x', size));
        return size;
    }

    /// <summary>Raises or lowers how many pages the file may have.</summary>
    private static bool Limit(Database database, string pages)
    {
        var count = pages == "page_count" ? database.QueryFirst("PRAGMA page_count", row => row.GetInt64(0)) : long.Parse(pages, System.Globalization.CultureInfo.InvariantCulture);
        database.Execute($"PRAGMA max_page_count = {count}");
        return true;
    }

    private Task<int> PutAsync(string key, int size = 1) => _queue.WriteAsync(database => Put(database, key, size)).AsTask();

    private WriteQueue NewQueue() => new(_database, _clock, NullLogger.Instance, () => Volatile.Read(ref _freeBytes));

    /// <summary>Another program's write transaction, until it is disposed.</summary>
    private Database Locked()
    {
        var other = Database.OpenWriter(_folder["ccp.db"], syncsEveryCommit: false);
        other.Run("BEGIN IMMEDIATE");
        return other;
    }

    private async Task FillAsync()
    {
        for (var number = 0; number < 100; number++)
        {
            await PutAsync($"{number}", 3000);
        }
    }

    private async Task ReopenAsync(bool damaged)
    {
        await _queue.DisposeAsync();
        _database.Dispose();
        if (damaged)
        {
            Damage.LastPages(_folder["ccp.db"], count: 60);
        }

        _database = Database.OpenWriter(_folder["ccp.db"], syncsEveryCommit: false);
        _queue = NewQueue();
    }

    private List<string> Keys()
    {
        using var reader = Database.OpenReader(_folder["ccp.db"]);
        return reader.Query("SELECT key FROM meta ORDER BY rowid", row => row.GetString(0));
    }
}
