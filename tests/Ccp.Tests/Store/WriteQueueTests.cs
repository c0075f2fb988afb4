using Ccp.Store;
using Ccp.Tests.Licenses;
using Ccp.Tests.Shared;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Store;

/// <summary>
/// Goal: nothing that must be written is lost, and nothing bad takes anything good with it.
/// Method: a real file; the store is made to fail by operations that throw what SQLite throws when the disk does.
/// </summary>
public sealed class WriteQueueTests : IAsyncDisposable
{
    private const int DiskFull = 13;
    private const int Constraint = 19;

    private readonly TempFolder _folder = new();
    private readonly ManualClock _clock = new();
    private readonly Database _database;
    private readonly WriteQueue _queue;
    private volatile bool _isDiskFull;

    public WriteQueueTests()
    {
        _database = Database.OpenWriter(_folder["ccp.db"], syncsEveryCommit: false);
        _queue = new WriteQueue(_database, _clock, NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync();
        _database.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_was_awaited_is_on_disk_for_every_reader()
    {
        Assert.Equal(7, await _queue.WriteAsync(database => Put(database, "a", 7)));

        Assert.Equal(["a"], Keys());
        Assert.Null(_queue.Problem);
    }

    [Theory]
    [InlineData(false, WriteQueue.WaitingForStoreMax)]
    [InlineData(true, WriteQueue.WaitingForStoreMax + 7)]
    public async Task While_the_store_fails_some_thousands_of_records_are_kept_and_all_that_must_be_written(bool works, int kept)
    {
        const int Records = WriteQueue.WaitingForStoreMax + 7;
        var log = new LogLines();
        var freeBytes = works ? long.MaxValue : 0;
        var isBusy = false;
        using var folder = new TempFolder();
        using var database = Database.OpenWriter(folder["ccp.db"], syncsEveryCommit: false);
        using var gate = new ManualResetEventSlim();
        await using var queue = new WriteQueue(database, _clock, log, () => Volatile.Read(ref freeBytes));
        Assert.Equal(works, queue.Problem is null);
        Task busy;
        try
        {
            busy = queue.MustWriteAsync(_ =>
            {
                Volatile.Write(ref isBusy, true);
                gate.Wait();
            });
            await Waiting.UntilAsync(() => Volatile.Read(ref isBusy));
            for (var record = 0; record < Records; record++)
            {
                var key = $"record {record}";
                queue.WriteIfThereIsRoom(written => Put(written, key, 1));
            }

            Assert.Equal(kept, queue.Waiting);
        }
        finally
        {
            Volatile.Write(ref freeBytes, long.MaxValue);
            gate.Set();
        }

        await Task.WhenAll(busy, queue.MustWriteAsync(written => Put(written, "charge", 1)));
        await Waiting.UntilAsync(_clock, () => queue.Problem is null && queue.Waiting == 0);
        await queue.DisposeAsync();
        Assert.Equal(kept < Records, log.All.Any(line => line.StartsWith($"Warning: {Records - kept} records of calls that are not charged were dropped", StringComparison.Ordinal)));
    }

    /// <summary>Two threads in one connection would be in each other's transactions.</summary>
    [Fact]
    public async Task As_long_as_the_queue_is_open_its_connection_is_for_the_writer_s_thread_alone()
    {
        Assert.Throws<InvalidOperationException>(() => _database.QueryFirst("SELECT 1", row => row.GetInt64(0)));
        Assert.Throws<InvalidOperationException>(() => _database.Execute("SELECT 1"));
        Assert.Equal(1, await _queue.WriteAsync(database => database.QueryFirst("SELECT 1", row => row.GetInt64(0))));

        await _queue.DisposeAsync();
        Assert.Equal(1, _database.QueryFirst("SELECT 1", row => row.GetInt64(0)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_fails_after_the_commit_is_told_to_its_caller_and_to_nobody_else(bool isOfTheKindThatAStoreThrows)
    {
        using var gate = new ManualResetEventSlim();
        var first = _queue.MustWriteAsync(_ => gate.Wait());
        var counted = 0;
        var charge = _queue.MustWriteAsync(database => Put(database, "charge", 1), () => counted++);
        var bad = _queue.WriteAsync(database => Put(database, "bad", 1), _ => throw (isOfTheKindThatAStoreThrows ? new InvalidOperationException("bad") : new ArgumentException("bad"))).AsTask();
        gate.Set();

        await Task.WhenAll(first, charge).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal("bad", (await Assert.ThrowsAnyAsync<Exception>(() => bad.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken))).Message);
        await _queue.WriteAsync(database => Put(database, "next", 1)).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(1, counted);
        Assert.Null(_queue.Problem);
    }

    [Fact]
    public async Task Many_writers_at_once_are_all_written_in_the_order_each_of_them_queued()
    {
        var writers = Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var number = 0; number < 200; number++)
            {
                await _queue.WriteAsync(database => Put(database, $"{writer}-{number:000}", number));
            }
        }));
        await Task.WhenAll(writers);

        var keys = Keys();
        Assert.Equal(1600, keys.Count);
        foreach (var own in keys.GroupBy(key => key[0]))
        {
            Assert.Equal(own.Order(StringComparer.Ordinal), own);
        }
    }

    [Fact]
    public async Task A_bad_operation_fails_alone()
    {
        using var gate = new ManualResetEventSlim();
        var first = _queue.WriteAsync(database => HoldBack(database, gate)).AsTask();

        // While the writer stands at the gate these queue up, so that they share a group.
        var before = _queue.WriteAsync(database => Put(database, "before", 1)).AsTask();
        var broken = _queue.WriteAsync<int>(database =>
        {
            Put(database, "half", 1);
            throw new InvalidDataException("bad");
        }).AsTask();
        var twice = _queue.WriteAsync(database => Put(database, "before", 2)).AsTask();
        var after = _queue.WriteAsync(database => Put(database, "after", 1)).AsTask();
        gate.Set();

        await Task.WhenAll(first, before, after);
        await Assert.ThrowsAsync<InvalidDataException>(() => broken);
        Assert.Equal(Constraint, (await Assert.ThrowsAsync<SqliteException>(() => twice)).SqliteErrorCode);
        Assert.Equal(["gate", "before", "after"], Keys());
        Assert.Null(_queue.Problem);
    }

    [Fact]
    public async Task When_the_store_fails_the_whole_group_is_undone_and_what_may_fail_fails()
    {
        using var gate = new ManualResetEventSlim();
        var first = _queue.WriteAsync(database => HoldBack(database, gate)).AsTask();
        var good = _queue.WriteAsync(database => Put(database, "good", 1)).AsTask();
        _isDiskFull = true;
        var full = _queue.WriteAsync(database => PutUnlessFull(database, "full")).AsTask();
        gate.Set();

        await first.ContinueWith(static _ => { }, TaskScheduler.Default);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => full);
        if (good.IsFaulted)
        {
            Assert.DoesNotContain("good", Keys());
        }

        Assert.DoesNotContain("full", Keys());
        Assert.NotNull(_queue.Problem);

        await _queue.WriteAsync(database => Put(database, "later", 1));
        await Waiting.UntilAsync(() => _queue.Problem is null);
    }

    [Fact]
    public async Task What_must_be_written_survives_a_failing_store_and_is_written_once_it_works()
    {
        _isDiskFull = true;
        var must = _queue.MustWriteAsync(database => PutUnlessFull(database, "charge"));
        await Waiting.UntilAsync(() => _queue.Problem is not null);
        for (var second = 0; second < 5; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.False(must.IsCompleted);
        Assert.Empty(Keys());

        _isDiskFull = false;
        await Waiting.UntilAsync(_clock, () => must.IsCompleted);
        await must;
        await Waiting.UntilAsync(() => _queue.Problem is null);
        Assert.Equal(["charge"], Keys());
    }

    [Fact]
    public async Task A_must_write_that_is_rejected_is_kept_and_shown_and_others_go_on()
    {
        var isBad = true;
        var must = _queue.MustWriteAsync(database =>
        {
            if (Volatile.Read(ref isBad))
            {
                throw new InvalidDataException("bad row");
            }

            Put(database, "kept", 1);
        });
        await Waiting.UntilAsync(() => _queue.Problem is not null);
        Assert.Contains("bad row", _queue.Problem, StringComparison.Ordinal);

        var other = _queue.WriteAsync(database => Put(database, "other", 1)).AsTask();
        await Waiting.UntilAsync(_clock, () => other.IsCompletedSuccessfully);
        Assert.False(must.IsCompleted);
        Assert.NotNull(_queue.Problem);

        Volatile.Write(ref isBad, false);
        await Waiting.UntilAsync(_clock, () => must.IsCompleted);
        await Waiting.UntilAsync(() => _queue.Problem is null);
        Assert.Equal(["other", "kept"], Keys());
    }

    [Fact]
    public async Task A_must_write_that_succeeded_is_not_repeated_when_a_later_group_fails()
    {
        await _queue.MustWriteAsync(database => Put(database, "once", 1));
        _isDiskFull = true;
        var full = _queue.MustWriteAsync(database => PutUnlessFull(database, "full"));
        await Waiting.UntilAsync(() => _queue.Problem is not null);
        _isDiskFull = false;
        await Waiting.UntilAsync(_clock, () => full.IsCompleted);

        Assert.Equal(["once", "full"], Keys());
    }

    [Fact]
    public async Task However_much_waits_for_the_store_what_may_fail_is_still_told_so()
    {
        _isDiskFull = true;
        var charges = Enumerable.Range(0, 600).Select(number => _queue.MustWriteAsync(database => PutUnlessFull(database, $"charge-{number:000}"))).ToList();
        await Waiting.UntilAsync(() => _queue.Problem is not null);

        var topUp = _queue.WriteAsync(database => PutUnlessFull(database, "top-up")).AsTask();
        await Waiting.UntilAsync(_clock, () => topUp.IsCompleted);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => topUp);

        _isDiskFull = false;
        var all = Task.WhenAll(charges);
        await Waiting.UntilAsync(_clock, () => all.IsCompleted);
        Assert.Equal(600, Keys().Count);
    }

    [Fact]
    public async Task Disposing_writes_what_is_queued()
    {
        var writes = Enumerable.Range(0, 1000).Select(number => _queue.MustWriteAsync(database => Put(database, $"{number:0000}", number))).ToList();
        await _queue.DisposeAsync();

        await Task.WhenAll(writes);
        Assert.Equal(1000, Keys().Count);
    }

    [Fact]
    public async Task Disposing_tries_once_more_what_the_store_would_not_take()
    {
        _isDiskFull = true;
        var charge = _queue.MustWriteAsync(database => PutUnlessFull(database, "charge"));
        await Waiting.UntilAsync(() => _queue.Problem is not null);
        _isDiskFull = false;
        await _queue.DisposeAsync();

        await charge;
        Assert.Equal(["charge"], Keys());
    }

    [Fact]
    public async Task What_the_store_refuses_while_the_queue_is_being_closed_is_tried_once_more_too()
    {
        using var gate = new ManualResetEventSlim();
        var tries = 0;
        var charge = _queue.MustWriteAsync(database =>
        {
            gate.Wait();
            _ = ++tries == 1 ? throw new SqliteException("database or disk is full", DiskFull) : Put(database, "charge", 1);
        });
        var closed = _queue.DisposeAsync();
        gate.Set();
        await closed;

        await charge;
        Assert.Equal(["charge"], Keys());
    }

    [Fact]
    public async Task Disposing_ends_even_if_the_store_never_works_again_and_hundreds_wait()
    {
        _isDiskFull = true;
        var charges = Enumerable.Range(0, 600).Select(number => _queue.MustWriteAsync(database => PutUnlessFull(database, $"{number}"))).ToList();
        await Waiting.UntilAsync(() => _queue.Problem is not null);

        await _queue.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        foreach (var charge in charges)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => charge);
        }
    }

    [Fact]
    public async Task After_the_end_nothing_is_taken_in()
    {
        await _queue.DisposeAsync();

        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await _queue.WriteAsync(database => Put(database, "a", 1)));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _queue.MustWriteAsync(database => Put(database, "a", 1)));
    }

    private static int Put(Database database, string key, int value)
    {
        database.RunOne("INSERT INTO meta (key, value) VALUES ($1, $2)", key, value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return value;
    }

    private static int HoldBack(Database database, ManualResetEventSlim gate)
    {
        gate.Wait();
        return Put(database, "gate", 0);
    }

    private int PutUnlessFull(Database database, string key) =>
        _isDiskFull ? throw new SqliteException("database or disk is full", DiskFull) : Put(database, key, 1);

    private List<string> Keys()
    {
        using var reader = Database.OpenReader(_folder["ccp.db"]);
        return reader.Query("SELECT key FROM meta ORDER BY rowid", row => row.GetString(0));
    }
}
