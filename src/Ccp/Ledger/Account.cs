using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Ledger;

/// <summary>One account in memory: the authority for admission. All its members take the same short lock; nothing waits inside it.</summary>
internal sealed class Account(long id, NanoUsd balance, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<Hold> _holds = [];
    private readonly Spend _spend = new();
    private NanoUsd _balance = balance;
    private NanoUsd _held;
    private NanoUsd _running;
    private NanoUsd _unwritten;

    public long Id { get; } = id;

    public AccountState State
    {
        get
        {
            lock (_lock)
            {
                return new AccountState(_balance, _held, _holds.Count);
            }
        }
    }

    /// <summary>Takes <paramref name="hold"/> in, or says why not. The table of docs/money.md, in its order.</summary>
    public Refusal? TryAdmit(Hold hold, NanoUsd overdraft)
    {
        lock (_lock)
        {
            if (!hold.IsFree)
            {
                if (_balance <= NanoUsd.Zero)
                {
                    return new Refusal(
                        RefusalCode.InsufficientCredit,
                        $"Your ccp balance is used up ({_balance} USD). Ask your operator for a top-up; your work can go on right after it.");
                }

                var othersAreOpen = _holds.Exists(open => !open.IsFree);
                if (_spend.RefusalOf(hold, _held, othersAreOpen, overdraft, time.GetUtcNow()) is { } refusal)
                {
                    return refusal;
                }

                // With no other hold open the last dollars can be spent, whatever the estimate says: the overdraft bounds what that can cost.
                // Calls that cost nothing hold nothing, and are in nobody's way.
                if (!othersAreOpen && _balance + overdraft < hold.Least)
                {
                    return new Refusal(RefusalCode.InsufficientCredit, $"Your ccp balance of {_balance} USD does not cover {WhatMustBeThere(hold)}");
                }

                if (othersAreOpen && _balance - _held < hold.Amount)
                {
                    return new Refusal(
                        RefusalCode.FundsSpokenFor,
                        $"Your ccp balance of {_balance} USD is spoken for by calls in progress ({_held} USD held). This call goes on when one of them ends; for more at once, ask your operator for a top-up.");
                }
            }

            _holds.Add(hold);
            hold.Running = hold.CanEndEarly ? NanoUsd.Zero : hold.Amount;
            _running += hold.Running;
            _held += hold.SpokenFor;
            return null;
        }
    }

    /// <summary>Notes what <paramref name="hold"/>'s call comes to by now.</summary>
    /// <param name="overdraft">How far running streams may go below zero, and beyond a spending limit.</param>
    /// <returns>A call that must end because the account is overdrawn or a spending limit passed, and which of the two: the newest; null while there is money.</returns>
    public (Hold Newest, EndCause Cause)? NoteRunning(Hold hold, NanoUsd charge, NanoUsd overdraft)
    {
        lock (_lock)
        {
            // What cannot be ended counts as all it may come to: others must not spend that meanwhile.
            var running = hold.CanEndEarly ? charge : NanoUsd.Max(charge, hold.Amount);
            _held -= hold.SpokenFor;
            _running += running - hold.Running;
            hold.Running = running;
            _held += hold.SpokenFor;
            var cause = _balance - _running < -overdraft ? EndCause.Overdrawn
                : hold.SpendLimits != default && _spend.IsPassedBy(hold.SpendLimits, _running, overdraft, time.GetUtcNow()) ? EndCause.SpendLimit
                : EndCause.None;
            return cause != EndCause.None && _holds.FindLast(open => open.CanEndEarly && !open.IsFree && !open.MustEnd) is { } newest ? (newest, cause) : null;
        }
    }

    /// <summary>The call is over: its hold is freed and the charge taken at once, in memory.</summary>
    public void Release(Hold hold, NanoUsd charge)
    {
        lock (_lock)
        {
            if (_holds.Remove(hold))
            {
                _held -= hold.SpokenFor;
                _running -= hold.Running;
                _balance -= charge;
                _spend.Add(charge, time.GetUtcNow());
                _unwritten += charge;
            }
        }
    }

    /// <summary>Counts a charge that was posted before this start.</summary>
    public void Remember(NanoUsd charge, DateTimeOffset at)
    {
        lock (_lock)
        {
            _spend.Remember(charge, at);
        }
    }

    /// <summary>A charge that was taken in memory is on disk too.</summary>
    public void Wrote(NanoUsd charge)
    {
        lock (_lock)
        {
            _unwritten -= charge;
        }
    }

    /// <summary>The balance is what the disk says, less the charges that are still to be written.</summary>
    public void Correct(NanoUsd onDisk)
    {
        lock (_lock)
        {
            _balance = onDisk - _unwritten;
        }
    }

    public void Change(NanoUsd amount)
    {
        lock (_lock)
        {
            _balance += amount;
        }
    }

    private static string WhatMustBeThere(Hold hold) => hold.CanEndEarly
        ? $"the least that this call comes to ({hold.Least} USD), by the size of its prompt: it would be ended at once, and charged. Ask your operator for a top-up, or begin a new conversation."
        : $"what this call may come to ({hold.Least} USD): it is not streamed, so it could not be ended in time. Ask your operator for a top-up, or ask for a stream or a shorter answer.";
}

/// <param name="Held">Spoken for by calls in progress.</param>
internal readonly record struct AccountState(NanoUsd Balance, NanoUsd Held, int OpenHolds)
{
    public NanoUsd Available => Balance - Held;
}
