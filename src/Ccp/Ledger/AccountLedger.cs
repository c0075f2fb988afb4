using System.Collections.Concurrent;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Store;
using Ccp.Telemetry;

namespace Ccp.Ledger;

/// <summary>Accounts, holds and settlements of the running process. Memory decides who is admitted; disk decides what is owed after a crash.</summary>
/// <remarks>
/// A charge counts in memory at once and is written until it is on disk. A top-up counts once it is on disk. Nothing here knows of models' prices.
/// </remarks>
internal sealed class AccountLedger(WriteQueue writes, LedgerBook book, HoldRecovery recovery, NanoUsd overdraft, TimeProvider time)
{
    private readonly ConcurrentDictionary<long, Account> _accounts = new();
    private readonly ConcurrentDictionary<RequestId, Hold> _durable = new();

    /// <summary>How far below zero running streams may take an account before they are ended.</summary>
    public NanoUsd Overdraft { get; } = overdraft;

    /// <summary>Reads the balances, and what was charged this month. Called once, before anything is admitted.</summary>
    /// <param name="database">A reader: the one that writes is the writer's thread's by now.</param>
    public void Load(Database database)
    {
        database.Visit("SELECT id, balance_nano FROM account", row =>
        {
            _accounts[row.GetInt64(0)] = new Account(row.GetInt64(0), new NanoUsd(row.GetInt64(1)), time);
            return true;
        });

        LoadSpending(database);
    }

    /// <summary>
    /// After the store failed: a top-up whose commit was reported as failed may be on disk all the same, and would be missing here until the next start.
    /// On the writer's thread, where nothing is between being written and being counted.
    /// </summary>
    public void Correct(Database database) => database.Visit("SELECT id, balance_nano FROM account", row =>
    {
        Find(row.GetInt64(0)).Correct(new NanoUsd(row.GetInt64(1)));
        return true;
    });

    public AccountState StateOf(long account) => Find(account).State;

    /// <summary>Sets money aside for a call, in memory.</summary>
    /// <param name="limits">On spending; none by default.</param>
    /// <param name="least">What a stream comes to with its first event, at the least.</param>
    public Decision<Hold> Place(long account, RequestId id, NanoUsd amount, bool isFree, bool canEndEarly, SpendLimits limits = default, NanoUsd least = default)
    {
        if (writes.Problem is not null)
        {
            return StoreRefusal();
        }

        var found = Find(account);
        var hold = new Hold(this, found, id, amount, isFree, canEndEarly, limits, least);
        return found.TryAdmit(hold, Overdraft) is { } refusal ? refusal : hold;
    }

    /// <summary>A hold that holds nothing: for callers who are not charged.</summary>
    public Hold PlaceNothing(RequestId id) => new(this, account: null, id, NanoUsd.Zero, isFree: true, canEndEarly: false);

    /// <summary>A top-up, a refund or an adjustment. It counts when this returns.</summary>
    /// <exception cref="StoreUnavailableException">Nothing was posted; or, if the disk kept it all the same, it counts once the store works again.</exception>
    public async Task<PostResult> PostAsync(long account, EntryKind kind, NanoUsd amount, string reference, string actor, string note) =>
        await writes.WriteAsync(
            database => book.Post(database, account, kind, amount, reference, actor, note),
            result => Count(account, result == PostResult.Posted ? amount : NanoUsd.Zero));

    /// <summary>Posts as part of a larger operation, on the writer's thread. <see cref="Count"/> follows once that is on disk.</summary>
    public PostResult Post(Database database, long account, EntryKind kind, NanoUsd amount, string reference, string actor, string note) =>
        book.Post(database, account, kind, amount, reference, actor, note);

    /// <summary>Counts an amount that was posted as part of a larger operation. On the writer's thread, once it is on disk.</summary>
    public void Count(long account, NanoUsd amount) => Find(account).Change(amount);

    /// <summary>Writes how far the open calls have come, all in one operation. Called about once a second.</summary>
    public async Task CheckpointAsync()
    {
        List<Hold> moved = [.. _durable.Values.Where(hold => hold.TakeProgress() is not null)];
        if (moved.Count == 0)
        {
            return;
        }

        try
        {
            await writes.WriteAsync(database =>
            {
                moved.ForEach(hold => HoldRow.Update(database, hold.Id.Value, hold.Progress));
                return moved.Count;
            });
        }
        catch (StoreUnavailableException)
        {
            // The older checkpoint stands until the next one: recovery would charge a second's worth less, and the queue has said what is wrong.
        }
    }

    /// <summary>Writes how far one call has come, without waiting for the next checkpoint.</summary>
    public Task CheckpointAsync(Hold hold) => hold.TakeProgress() is not null
        ? writes.MustWriteAsync(database => HoldRow.Update(database, hold.Id.Value, hold.Progress))
        : Task.CompletedTask;

    public async ValueTask WriteHoldAsync(Hold hold, HoldRow row)
    {
        try
        {
            await writes.WriteAsync(database =>
            {
                row.Insert(database);
                return true;
            });
        }
        catch (StoreUnavailableException)
        {
            // The call is refused. A row that reached the disk all the same would be charged at the next start.
            _ = writes.MustWriteAsync(database => HoldRow.Delete(database, hold.Id.Value));
            throw;
        }

        _durable[hold.Id] = hold;
    }

    public Task WriteSettlementAsync(RequestId id, long? account, NanoUsd? charge, string note, Action<Database> alongside)
    {
        _durable.TryRemove(id, out _);
        return writes.MustWriteAsync(
            database =>
            {
                // A settlement that is tried again finds its entry standing: what belongs to it was written with it.
                if (account is not { } charged || charge is not { } amount
                    || book.Post(database, charged, EntryKind.Charge, -amount, id.Value, "ccp", note) == PostResult.Posted)
                {
                    alongside(database);
                }

                HoldRow.Delete(database, id.Value);
            },
            () => Wrote(account, charge));
    }

    /// <summary>For a call that failed inside ccp after its hold was on disk: what recovery would do, now.</summary>
    public void SettleAsFarAsItGot(RequestId id, long? account, HoldProgress progress)
    {
        _durable.TryRemove(id, out _);
        _ = writes.MustWriteAsync(
            database =>
            {
                HoldRow.Update(database, id.Value, progress);
                if (HoldRow.Find(database, id.Value) is { } row)
                {
                    recovery.Settle(database, row, "internal_error");
                }
            },
            () => Wrote(account, progress.Charge));
    }

    public static Refusal StoreRefusal() => new(
        RefusalCode.LedgerUnavailable,
        "ccp cannot write its ledger at the moment, so it serves nothing that would have to be billed. Your operator sees the reason in ccp's log and at /readyz.");

    /// <summary>The entries are in the order of time: from the newest back to the beginning of its month, or of this one, is all that is read.</summary>
    /// <remarks>
    /// An entry is never dated before the one it follows, so after a clock was ahead all of them say the same until that day has come. Of a call, its
    /// record says when it ended.
    /// </remarks>
    private void LoadSpending(Database database)
    {
        var now = time.GetUtcNow();
        DateTimeOffset? oldest = null;
        database.Visit(
            """
            SELECT e.account_id, e.at_ms, coalesce(r.at_ms + r.latency_ms, e.at_ms), -e.amount_nano, e.kind
            FROM entry e LEFT JOIN request r ON r.id = e.reference ORDER BY e.id DESC
            """,
            row =>
            {
                var posted = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1));
                oldest ??= Spend.MonthOf(DateOnly.FromDateTime((posted < now ? posted : now).UtcDateTime)).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
                if (posted >= oldest && row.GetString(4) == EntryKind.Charge.ToText())
                {
                    Find(row.GetInt64(0)).Remember(new NanoUsd(row.GetInt64(3)), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)));
                }

                return posted >= oldest;
            });
    }

    private void Wrote(long? account, NanoUsd? charge)
    {
        if (account is { } charged && charge is { } amount)
        {
            Find(charged).Wrote(amount);
        }
    }

    // An account that is not known yet was opened after the start, and nothing has been posted to it.
    private Account Find(long account) => _accounts.GetOrAdd(account, id => new Account(id, NanoUsd.Zero, time));
}
