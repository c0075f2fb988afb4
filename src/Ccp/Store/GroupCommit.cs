using Ccp.Telemetry;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Ccp.Store;

/// <summary>Commits groups of operations, and knows what to do when the store will not have them. Owned by the writer's thread.</summary>
internal sealed class GroupCommit(Database database, StoreHealth health, ILogger log)
{
    /// <summary>More operations than this that fail one after the other: it is the store, not they.</summary>
    private const int SuspectsMax = 8;

    private readonly List<StoreOperation> _unwritten = [];
    private volatile Action<Database>? _afterFailure;
    private volatile string? _problem;
    private volatile string? _damage;
    private volatile int _unwrittenCount;
    private string? _failure;
    private bool _isInDoubt;
    private long _dropped;

    /// <summary>Null while the store works; else what is wrong, and what to do. Unless that says otherwise, it ends by itself with its cause. Read by any thread, as the next two are.</summary>
    public string? Problem => _damage ?? _problem;

    public string? Warning => health.Warning;

    public int UnwrittenCount => _unwrittenCount;

    /// <summary>
    /// Brings memory back into line with the disk. Run between groups, when the store works again: a commit that was reported as failed may have
    /// reached the disk all the same.
    /// </summary>
    public Action<Database>? AfterFailure
    {
        set => _afterFailure = value;
    }

    /// <summary>Somebody who read the store found it damaged. Nothing billed is admitted from now on: it takes an operator to put this right, and a restart.</summary>
    public void ReportDamage(string what)
    {
        if (_damage is null)
        {
            log.StoreDamaged(what);
        }

        _damage = what;
    }

    /// <summary>On any thread: a record was not kept to be tried again.</summary>
    public void CountDropped() => Interlocked.Increment(ref _dropped);

    /// <summary>How many records were lost since this was last asked, once it is over.</summary>
    public void SayDropped()
    {
        if (Interlocked.Exchange(ref _dropped, 0) is var dropped and > 0)
        {
            log.RecordsDropped(dropped, WriteQueue.WaitingForStoreMax);
        }
    }

    /// <summary>Moves what is kept to be tried again into <paramref name="group"/>.</summary>
    public void TakeUnwritten(List<StoreOperation> group)
    {
        group.AddRange(_unwritten);
        _unwritten.Clear();
    }

    public void Run(List<StoreOperation> group)
    {
        var wasInDoubt = _isInDoubt;
        _isInDoubt = false;
        _failure = null;
        if (wasInDoubt && !TakesAWrite())
        {
            Undo(group);
        }
        else
        {
            foreach (var suspect in group.Where(operation => operation.IsSuspect).ToList())
            {
                CommitTogether([suspect]);
            }

            group.RemoveAll(operation => operation.IsSuspect);
            CommitTogether(group);
        }

        // Not before what is kept is written: of a charge that stands already, only its own second try says so.
        if (wasInDoubt && !_isInDoubt)
        {
            _isInDoubt = _unwritten.Count > 0;
            if (!_isInDoubt)
            {
                Reconcile();
            }
        }

        NoteState();
    }

    /// <summary>
    /// A small write of its own, which needs no page but the first: without it a store that failed while nothing was running would never be asked again.
    /// It also writes over what a commit that failed may have left behind in the write-ahead log, where the next start would find it.
    /// </summary>
    private bool TakesAWrite()
    {
        try
        {
            database.Run("BEGIN IMMEDIATE");
            database.Run($"PRAGMA application_id = {Schema.ApplicationId}");
            database.Run("COMMIT");
            return true;
        }
        catch (Exception error) when (error is SqliteException or InvalidOperationException)
        {
            RollBack();
            NoteFailure(error);
            _isInDoubt = true;
            return false;
        }
    }

    private void Reconcile()
    {
        try
        {
            _afterFailure?.Invoke(database);
        }
        catch (Exception error) when (error is SqliteException or InvalidOperationException or StoreUnavailableException)
        {
            NoteFailure(error);
            _isInDoubt = true;
        }
    }

    /// <summary>One transaction. An operation that fails by itself, as on a damaged page that no other touches, is set aside and the rest tried again.</summary>
    private void CommitTogether(List<StoreOperation> group)
    {
        for (var suspects = 0; group.Count > 0; suspects++)
        {
            StoreOperation? running = null;
            try
            {
                database.Run("BEGIN IMMEDIATE");
                foreach (var operation in group)
                {
                    running = operation;
                    ApplyInSavepoint(operation);
                }

                running = null;
                database.Run("COMMIT");
                group.ForEach(Finish);
                return;
            }
            catch (Exception error) when (error is SqliteException or InvalidOperationException)
            {
                // The connection itself may be unusable too. Whatever it is, this thread goes on: without it every call would wait for ever.
                RollBack();
                NoteFailure(error);
                _isInDoubt |= running is not { IsSuspect: true };
                if (running is null || suspects == SuspectsMax)
                {
                    Undo(group);
                    return;
                }

                running.IsSuspect = true;
                Undo([running]);
                group.Remove(running);
            }
        }
    }

    private void ApplyInSavepoint(StoreOperation operation)
    {
        operation.Rejected = null;
        database.Run("SAVEPOINT operation");
        try
        {
            operation.Apply(database);
            database.Run("RELEASE operation");
        }
        catch (Exception error) when (StoreFault.IsOfTheOperation(error))
        {
            operation.Rejected = error;
            database.Run("ROLLBACK TO operation; RELEASE operation");
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
            if (!operation.IsSuspect)
            {
                log.WriteRejected(error);
            }

            operation.IsSuspect = true;
            _failure = $"A ledger write was rejected and is tried again every second; this is a fault in ccp, and its log says more. {error.Message}";
            _problem = _failure;
            _unwritten.Add(operation);
        }
        else
        {
            operation.Fail(error);
        }
    }

    private void NoteFailure(Exception error)
    {
        if (Problem is null)
        {
            log.StoreFailed(error);
        }

        _failure = StoreFault.Describe(error);
        _problem = _failure;
        if (StoreFault.IsDamage(error))
        {
            ReportDamage(_failure);
        }
    }

    /// <summary>None of these is written. What must happen is kept; the rest is told.</summary>
    private void Undo(List<StoreOperation> group)
    {
        foreach (var operation in group)
        {
            if (operation.MustHappen)
            {
                _unwritten.Add(operation);
            }
            else
            {
                operation.Fail(new StoreUnavailableException($"Nothing was written. {_failure}"));
            }
        }
    }

    private void RollBack()
    {
        try
        {
            database.Run("ROLLBACK");
        }
        catch (Exception error) when (error is SqliteException or InvalidOperationException)
        {
            // SQLite has already rolled back by itself, as it does when the disk is full.
        }
    }

    /// <summary>After each group: what is wrong, if anything is.</summary>
    private void NoteState()
    {
        _unwrittenCount = _unwritten.Count;
        var hadProblem = Problem is not null;
        _problem = _failure ?? health.FindProblem();
        if (hadProblem && Problem is null)
        {
            log.StoreRecovered();
            SayDropped();
        }
        else if (!hadProblem && Problem is { } problem)
        {
            log.StoreUnhealthy(problem);
        }
    }
}
