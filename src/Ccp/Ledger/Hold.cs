using Ccp.Pricing;
using Ccp.Store;
using Ccp.Telemetry;

namespace Ccp.Ledger;

/// <summary>Money set aside for one call. It frees itself unless settled; once durable, it charges itself instead.</summary>
/// <param name="account">Null for a caller who is not charged: then nothing is held and nothing posted.</param>
/// <param name="isFree">True when the model's price is zero: it needs no balance and leaves an entry of zero.</param>
/// <param name="canEndEarly">True for a stream, which can be ended between two events.</param>
/// <param name="spendLimits">As they were when the call was admitted.</param>
/// <param name="least">What a stream comes to with its first event, at the least. What cannot be ended comes to all of <paramref name="amount"/>.</param>
internal sealed class Hold(AccountLedger ledger, Account? account, RequestId id, NanoUsd amount, bool isFree, bool canEndEarly, SpendLimits spendLimits = default, NanoUsd least = default) : IDisposable
{
    private readonly Lock _progressLock = new();
    private HoldProgress _progress;
    private bool _hasNewProgress;
    private bool _isDurable;
    private bool _isClosed;
    private volatile EndCause _endCause;

    public RequestId Id { get; } = id;

    public NanoUsd Amount { get; } = amount;

    /// <summary>What must be there even with nothing else in progress: what the call comes to before it could be ended.</summary>
    public NanoUsd Least { get; } = canEndEarly ? least : amount;

    public bool IsFree { get; } = isFree;

    public bool CanEndEarly { get; } = canEndEarly;

    public SpendLimits SpendLimits { get; } = spendLimits;

    public bool IsCharged => account is not null;

    /// <summary>What the call comes to by now. Owned by <see cref="Account"/>, under its lock.</summary>
    public NanoUsd Running { get; set; }

    /// <summary>What nobody else may spend: what was set aside, or what the call has come to where that is more.</summary>
    public NanoUsd SpokenFor => NanoUsd.Max(Amount, Running);

    /// <summary>How far the call has come by now. What is written to disk is this, at the moment of writing: of two checkpoints under way, none can undo the other.</summary>
    public HoldProgress Progress
    {
        get
        {
            lock (_progressLock)
            {
                return _progress;
            }
        }
    }

    /// <summary>True when this stream was chosen to end for want of money.</summary>
    public bool MustEnd => _endCause != EndCause.None;

    public EndCause EndCause => _endCause;

    /// <summary>How far a call has come that is on disk and not settled, which is what it is charged should it stay so; null for any other.</summary>
    public HoldProgress? Unsettled
    {
        get
        {
            lock (_progressLock)
            {
                return _isDurable && !_isClosed ? _progress : null;
            }
        }
    }

    /// <summary>Called, on any thread, when the stream must end while it may be waiting for the upstream.</summary>
    public Action? OnMustEnd { get; set; }

    /// <summary>Writes the hold to disk. Until this is done no byte of the answer may reach the client.</summary>
    /// <exception cref="StoreUnavailableException">It is not on disk; the call must be refused.</exception>
    public async ValueTask MakeDurableAsync(HoldRow row)
    {
        if (account is not null)
        {
            await ledger.WriteHoldAsync(this, row);
            _progress = new HoldProgress(row.Cost, row.Charge, row.Tokens, row.Terms, row.Final);
            _isDurable = true;
        }
    }

    /// <summary>Notes how far the call has come; it reaches the disk with the next checkpoint.</summary>
    public void NoteProgress(in HoldProgress progress)
    {
        if (account is null)
        {
            return;
        }

        lock (_progressLock)
        {
            _progress = progress;
            _hasNewProgress = true;
        }

        if (account.NoteRunning(this, progress.Charge, ledger.Overdraft) is var (newest, cause))
        {
            newest.EndFor(cause);
            if (CanEndEarly && !IsFree)
            {
                // Whoever has gone beyond goes no further: else it could be its turn only after another event of its own.
                EndFor(cause);
            }
        }
    }

    /// <returns>What has happened since the last checkpoint; null when nothing has, or the call is not on disk.</returns>
    public HoldProgress? TakeProgress()
    {
        lock (_progressLock)
        {
            if (!_hasNewProgress || !_isDurable || _isClosed)
            {
                return null;
            }

            _hasNewProgress = false;
            return _progress;
        }
    }

    /// <summary>Ends the hold with a charge, or with none when nothing was used.</summary>
    /// <param name="charge">Null: nothing was used; no entry is written.</param>
    /// <param name="alongside">Written in the same transaction: the request record.</param>
    /// <returns>Completes when it is on disk.</returns>
    public Task SettleAsync(NanoUsd? charge, string note, Action<Database> alongside)
    {
        if (_isClosed)
        {
            throw new InvalidOperationException($"{Id} is settled already.");
        }

        _isClosed = true;
        account?.Release(this, charge ?? NanoUsd.Zero);
        if (charge is null && !_isDurable)
        {
            // Refused and failed calls leave neither hold, entry nor record.
            return Task.CompletedTask;
        }

        return ledger.WriteSettlementAsync(Id, account?.Id, charge, note, alongside);
    }

    /// <summary>Frees the money of a call that came to nothing. A call on disk whose settlement never came is charged as far as it got.</summary>
    public void Dispose()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        if (_isDurable)
        {
            account?.Release(this, _progress.Charge);
            ledger.SettleAsFarAsItGot(Id, account?.Id, _progress);
        }
        else
        {
            account?.Release(this, NanoUsd.Zero);
        }
    }

    private void EndFor(EndCause cause)
    {
        _endCause = cause;
        OnMustEnd?.Invoke();
    }
}

/// <summary>Why a stream must end before its time.</summary>
internal enum EndCause
{
    None,

    /// <summary>The account is below zero by more than the overdraft.</summary>
    Overdrawn,

    /// <summary>The account is beyond a spending limit by more than the overdraft.</summary>
    SpendLimit,
}
