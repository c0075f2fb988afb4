using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Ledger;

/// <summary>One account in memory: the authority for admission. All its members take the same short lock; nothing waits inside it.</summary>
internal sealed class Account(long id, NanoUsd balance)
{
    private readonly Lock _lock = new();
    private readonly List<Hold> _holds = [];
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

    /// <summary>Takes <paramref name="hold"/> in, or says why not. The table of ledger.md, in its order.</summary>
    public Refusal? TryAdmit(Hold hold)
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

                // With no other hold open the last dollars can be spent, whatever the estimate says: the overdraft bounds what that can cost.
                // Calls that cost nothing hold nothing, and are in nobody's way.
                if (_holds.Exists(open => !open.IsFree) && _balance - _held < hold.Amount)
                {
                    return new Refusal(
                        RefusalCode.FundsSpokenFor,
                        $"Your ccp balance of {_balance} USD is spoken for by calls in progress ({_held} USD held). This call goes on when one of them ends; for more at once, ask your operator for a top-up.");
                }
            }

            _holds.Add(hold);
            _held += hold.Amount;
            return null;
        }
    }

    /// <summary>Notes what <paramref name="hold"/>'s call comes to by now.</summary>
    /// <returns>A call that must end because the account is overdrawn: the newest; null while there is money.</returns>
    public Hold? NoteRunning(Hold hold, NanoUsd charge, NanoUsd overdraft)
    {
        lock (_lock)
        {
            _running += charge - hold.Running;
            hold.Running = charge;
            return _balance - _running >= -overdraft ? null : _holds.FindLast(open => open.CanEndEarly && !open.IsFree && !open.MustEnd);
        }
    }

    /// <summary>The call is over: its hold is freed and the charge taken at once, in memory.</summary>
    public void Release(Hold hold, NanoUsd charge)
    {
        lock (_lock)
        {
            if (_holds.Remove(hold))
            {
                _held -= hold.Amount;
                _running -= hold.Running;
                _balance -= charge;
                _unwritten += charge;
            }
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
}

/// <param name="Held">Spoken for by calls in progress.</param>
internal readonly record struct AccountState(NanoUsd Balance, NanoUsd Held, int OpenHolds)
{
    public NanoUsd Available => Balance - Held;
}
