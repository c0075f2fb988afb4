using System.Threading.Channels;
using Ccp.Telemetry;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Ccp.Store;

/// <summary>The one writer. Operations queue up and are committed in groups: one disk sync for all that waited.</summary>
/// <remarks>
/// Each operation runs in a savepoint of its own, so one that fails takes nothing else with it. When the store itself fails (disk full, I/O
/// error), the group is rolled back; operations that may fail do so at once, those that must happen (a settlement) are kept and tried again
/// every second, and <see cref="Problem"/> says what is wrong until one group has gone through.
/// </remarks>
internal sealed class WriteQueue : IAsyncDisposable
{
    /// <summary>More waiting than this and callers wait too: memory is not a place to keep money in.</summary>
    private const int WaitingMax = 16_384;

    private const int GroupMax = 256;

    /// <summary>SQLite's code for a broken constraint: the operation's fault, not the store's.</summary>
    private const int SqliteConstraint = 19;

    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Channel<StoreOperation> _waiting = Channel.CreateBounded<StoreOperation>(new BoundedChannelOptions(WaitingMax) { SingleReader = true });
    private readonly CancellationTokenSource _closing = new();
    private readonly List<StoreOperation> _unfinished = [];
    private readonly Task _writer;
    private volatile string? _problem;

    public WriteQueue(Database database, TimeProvider time, ILogger log)
    {
        _database = database;
        _time = time;
        _log = log;
        _writer = Task.Factory.StartNew(WriteUntilClosed, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Null while the store works; else what is wrong, for the operator.</summary>
    public string? Problem
    {
        get => _problem;
        private set => _problem = value;
    }

    /// <summary>Runs <paramref name="write"/> in the next group.</summary>
    /// <returns>Its result, once it is on disk.</returns>
    /// <exception cref="StoreUnavailableException">The store failed; nothing was written.</exception>
    public async ValueTask<T> WriteAsync<T>(Func<Database, T> write)
    {
        var operation = new StoreOperation<T>(write, mustHappen: false);
        await EnqueueAsync(operation);
        return await operation.Done;
    }

    /// <summary>Runs <paramref name="write"/> in the next group and, should the store fail, again until it has happened.</summary>
    /// <remarks>It must be repeatable: a commit whose outcome is unknown is tried again.</remarks>
    /// <returns>Completes when it is on disk. Nobody needs to wait for it.</returns>
    public Task MustWriteAsync(Action<Database> write)
    {
        var operation = new StoreOperation<bool>(
            database =>
            {
                write(database);
                return true;
            },
            mustHappen: true);

        // Nearly nobody waits for these: a task that is handed on as it is wakes nobody up when it is done.
        return _waiting.Writer.TryWrite(operation) ? operation.Done : EnqueueAndWaitAsync(operation);
    }

    /// <summary>Waits until everything queued so far is on disk, or can never be.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_waiting.Writer.TryComplete())
        {
            // Closed already.
            await _writer;
            return;
        }

        await _closing.CancelAsync();
        await _writer;
        _closing.Dispose();
    }

    private async Task EnqueueAndWaitAsync(StoreOperation<bool> operation)
    {
        await EnqueueAsync(operation);
        await operation.Done;
    }

    private async ValueTask EnqueueAsync(StoreOperation operation)
    {
        if (!_waiting.Writer.TryWrite(operation))
        {
            try
            {
                await _waiting.Writer.WriteAsync(operation);
            }
            catch (ChannelClosedException error)
            {
                throw new StoreUnavailableException("The store is closed: ccp is shutting down.", error);
            }
        }
    }

    private void WriteUntilClosed()
    {
        var group = new List<StoreOperation>(GroupMax);
        while (WaitForWork())
        {
            // What is tried again takes no room from what is new: else enough of it would keep the rest waiting for ever, and the end from coming.
            group.AddRange(_unfinished);
            var groupMax = _unfinished.Count + GroupMax;
            _unfinished.Clear();
            while (group.Count < groupMax && _waiting.Reader.TryRead(out var operation))
            {
                group.Add(operation);
            }

            Commit(group);
            group.Clear();
        }

        foreach (var lost in _unfinished)
        {
            lost.Fail(new StoreUnavailableException($"The store did not recover before ccp stopped: {Problem}"));
        }
    }

    /// <returns>False when the queue is closed and what can be written has been.</returns>
    private bool WaitForWork()
    {
        if (_unfinished.Count > 0)
        {
            // On the way out one more try is made at once, then no more: recovery at the next start settles what is left.
            return !_closing.IsCancellationRequested
                ? PauseBeforeRetry()
                : _waiting.Reader.TryPeek(out _);
        }

        return _waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult();
    }

    private bool PauseBeforeRetry()
    {
        try
        {
            Task.Delay(RetryEvery, _time, _closing.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            // Closing: the try that follows is the last one.
        }

        return true;
    }

    private void Commit(List<StoreOperation> group)
    {
        try
        {
            _database.Run("BEGIN IMMEDIATE");
            foreach (var operation in group)
            {
                ApplyInSavepoint(operation);
            }

            _database.Run("COMMIT");
        }
        catch (Exception error) when (error is SqliteException or InvalidOperationException)
        {
            // The connection itself may be unusable too. Whatever it is, this thread goes on: without it every call would wait for ever.
            RollBack();
            StoreFailed(group, error);
            return;
        }

        foreach (var operation in group)
        {
            Finish(operation);
        }

        if (_unfinished.Count == 0 && Problem is not null)
        {
            Problem = null;
            _log.StoreRecovered();
        }
    }

    private void ApplyInSavepoint(StoreOperation operation)
    {
        _database.Run("SAVEPOINT operation");
        try
        {
            operation.Apply(_database);
            _database.Run("RELEASE operation");
        }
        catch (Exception error) when (error is not SqliteException { SqliteErrorCode: not SqliteConstraint })
        {
            operation.Rejected = error;
            _database.Run("ROLLBACK TO operation; RELEASE operation");
        }
    }

    private void Finish(StoreOperation operation)
    {
        if (operation.Rejected is not { } error)
        {
            operation.Complete();
        }
        else if (operation.MustHappen)
        {
            // A settlement that cannot be written is a bug. It is kept and shown, and nothing billed is admitted while it waits.
            operation.Rejected = null;
            _unfinished.Add(operation);
            Problem = $"a ledger write was rejected: {error.Message}";
            _log.WriteRejected(error);
        }
        else
        {
            operation.Fail(error);
        }
    }

    private void StoreFailed(List<StoreOperation> group, Exception error)
    {
        if (Problem is null)
        {
            _log.StoreFailed(error);
        }

        Problem = error.Message;
        foreach (var operation in group)
        {
            operation.Rejected = null;
            if (operation.MustHappen)
            {
                _unfinished.Add(operation);
            }
            else
            {
                operation.Fail(new StoreUnavailableException($"The store cannot be written: {error.Message}", error));
            }
        }
    }

    private void RollBack()
    {
        try
        {
            _database.Run("ROLLBACK");
        }
        catch (Exception error) when (error is SqliteException or InvalidOperationException)
        {
            // SQLite has already rolled back by itself, as it does when the disk is full.
        }
    }
}
