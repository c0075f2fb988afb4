using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Ccp.Store;

/// <summary>The one writer. Operations queue up and are committed in groups: one disk sync for all that waited.</summary>
/// <remarks>
/// Each operation runs in a savepoint of its own, so one that fails takes nothing else with it. When the store itself fails (disk full, I/O
/// error), the group is rolled back; operations that may fail do so at once, those that must happen (a settlement) are kept and tried again
/// every second. <see cref="Problem"/> says what is wrong until the store has taken a write, everything kept is written, and memory agrees
/// with the disk again.
/// </remarks>
internal sealed class WriteQueue : IAsyncDisposable
{
    /// <summary>More waiting than this and callers wait too: memory is not a place to keep money in.</summary>
    private const int WaitingMax = 16_384;

    /// <summary>So many writes may wait for a store that has failed before records that nothing depends on are dropped.</summary>
    public const int WaitingForStoreMax = 4_096;

    private const int GroupMax = 256;

    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    private readonly Database _database;
    private readonly GroupCommit _commit;
    private readonly TimeProvider _time;
    private readonly Channel<StoreOperation> _waiting = Channel.CreateBounded<StoreOperation>(new BoundedChannelOptions(WaitingMax) { SingleReader = true });
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _writer;
    private bool _hasTriedLast;

    /// <param name="database">From here to the end of the queue, the writer's thread's alone.</param>
    /// <param name="freeBytes">How much room the store's disk has; null: ask the system.</param>
    public WriteQueue(Database database, TimeProvider time, ILogger log, Func<long>? freeBytes = null)
    {
        _database = database;
        _time = time;
        _commit = new GroupCommit(database, new StoreHealth(database.CheckpointWal, freeBytes ?? database.FreeBytes, time, log), log);

        // A full disk is seen before the first call, not after it.
        _commit.Run([]);
        database.HandOver();
        _writer = Task.Factory.StartNew(WriteUntilClosed, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Null while the store works; else what is wrong, for the operator.</summary>
    public string? Problem => _commit.Problem;

    /// <summary>What does not stop ccp but wants to be looked at; null when there is nothing.</summary>
    public string? Warning => _commit.Warning;

    /// <summary>How many writes that must happen wait for the store to work.</summary>
    public int Unwritten => _commit.UnwrittenCount;

    /// <summary>How many writes are not on disk yet: those, and what has come since the last group.</summary>
    public int Waiting => _waiting.Reader.Count + Unwritten;

    /// <inheritdoc cref="GroupCommit.AfterFailure"/>
    public Action<Database>? AfterFailure
    {
        set => _commit.AfterFailure = value;
    }

    /// <inheritdoc cref="GroupCommit.ReportDamage"/>
    public void ReportDamage(string what) => _commit.ReportDamage(what);

    /// <summary>Runs <paramref name="write"/> in the next group. It may be run twice: only the last run counts.</summary>
    /// <param name="onDisk">What memory makes of it, on the writer's thread, once it is on disk. Must not block.</param>
    /// <returns>Its result, once it is on disk.</returns>
    /// <exception cref="StoreUnavailableException">The store failed. Nothing was written, or, if the commit's outcome is unknown, <see cref="AfterFailure"/> sees to what was.</exception>
    public async ValueTask<T> WriteAsync<T>(Func<Database, T> write, Action<T>? onDisk = null)
    {
        var operation = new StoreOperation<T>(write, onDisk, mustHappen: false);
        await EnqueueAsync(operation);
        return await operation.Done;
    }

    /// <summary>Runs <paramref name="write"/> in the next group and, should the store fail, again until it has happened.</summary>
    /// <remarks>It must be repeatable: a commit whose outcome is unknown is tried again.</remarks>
    /// <returns>Completes when it is on disk. Nobody needs to wait for it.</returns>
    public Task MustWriteAsync(Action<Database> write, Action? onDisk = null)
    {
        var operation = new StoreOperation<bool>(
            database =>
            {
                write(database);
                return true;
            },
            onDisk is null ? null : _ => onDisk(),
            mustHappen: true);

        // Nearly nobody waits for these: a task that is handed on as it is wakes nobody up when it is done.
        return _waiting.Writer.TryWrite(operation) ? operation.Done : EnqueueAndWaitAsync(operation);
    }

    /// <summary>As <see cref="MustWriteAsync"/>, for what nothing depends on: of what comes while the store fails only some thousands are kept.</summary>
    public void WriteIfThereIsRoom(Action<Database> write)
    {
        if (Problem is not null && Waiting >= WaitingForStoreMax)
        {
            _commit.CountDropped();
            return;
        }

        _ = MustWriteAsync(write);
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
        _database.TakeOver();
        var group = new List<StoreOperation>(GroupMax);
        while (WaitForWork())
        {
            // What is tried again takes no room from what is new: else enough of it would keep the rest waiting for ever, and the end from coming.
            _commit.TakeUnwritten(group);
            var groupMax = group.Count + GroupMax;
            while (group.Count < groupMax && _waiting.Reader.TryRead(out var operation))
            {
                group.Add(operation);
            }

            _commit.Run(group);
            group.Clear();
        }

        _commit.SayDropped();
        _commit.TakeUnwritten(group);
        foreach (var lost in group)
        {
            lost.Fail(new StoreUnavailableException($"The store did not recover before ccp stopped. {Problem}"));
        }

        _database.GiveBack();
    }

    /// <returns>False when the queue is closed and what can be written has been.</returns>
    private bool WaitForWork()
    {
        if (Problem is null)
        {
            return _waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult();
        }

        if (!_closing.IsCancellationRequested)
        {
            PauseBeforeRetry();
        }

        if (!_closing.IsCancellationRequested)
        {
            return true;
        }

        // On the way out one more try is made at once, then no more: recovery at the next start settles what is left.
        var isLastTry = !_hasTriedLast;
        _hasTriedLast = true;
        return isLastTry || _waiting.Reader.TryPeek(out _);
    }

    /// <summary>Until it is time to ask the store again whether it works. What is new need not wait, unless it would have what is kept tried again with it.</summary>
    private void PauseBeforeRetry()
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        var pause = Task.Delay(RetryEvery, _time, ended.Token);
        var waited = Unwritten > 0 ? pause : Task.WhenAny(pause, _waiting.Reader.WaitToReadAsync(ended.Token).AsTask());
        try
        {
            waited.GetAwaiter().GetResult();
            ended.Cancel();
        }
        catch (OperationCanceledException)
        {
            // Closing: the try that follows is the last one.
        }
    }
}
