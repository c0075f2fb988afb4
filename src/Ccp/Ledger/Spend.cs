using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Ledger;

/// <summary>How much an account may be charged in a UTC day and in a UTC month. Zero: no limit.</summary>
internal readonly record struct SpendLimits(NanoUsd PerDay, NanoUsd PerMonth);

/// <summary>What an account was charged this UTC day and this UTC month. Top-ups, refunds and adjustments are no spending. Owned by <see cref="Account"/>, under its lock.</summary>
internal sealed class Spend
{
    private DateOnly _day;
    private NanoUsd _today;
    private NanoUsd _thisMonth;

    public static DateOnly MonthOf(DateOnly day) => new(day.Year, day.Month, 1);

    public void Add(NanoUsd charge, DateTimeOffset at)
    {
        TurnTo(DateOnly.FromDateTime(at.UtcDateTime));
        _today += charge;
        _thisMonth += charge;
    }

    /// <param name="held">By the calls that are in progress.</param>
    /// <param name="othersAreOpen">With no other call in progress the rest of a limit can be used, whatever the estimate says: <paramref name="beyond"/> bounds what that can cost.</param>
    /// <param name="beyond">How far beyond a limit a call may go. One that cannot be ended must keep to that by itself.</param>
    public Refusal? RefusalOf(in SpendLimits limits, NanoUsd held, NanoUsd amount, bool canEndEarly, bool othersAreOpen, NanoUsd beyond, DateTimeOffset now)
    {
        if (limits == default)
        {
            return null;
        }

        TurnTo(DateOnly.FromDateTime(now.UtcDateTime));
        if (IsReached(limits.PerMonth, _thisMonth))
        {
            return new Refusal(
                RefusalCode.MonthSpendReached,
                $"You have spent {_thisMonth} USD this month, and ccp allows you {limits.PerMonth} USD a month. It goes on with the next month (UTC), or when your operator raises your limit.");
        }

        if (IsReached(limits.PerDay, _today))
        {
            return new Refusal(
                RefusalCode.DaySpendReached,
                $"You have spent {_today} USD today, and ccp allows you {limits.PerDay} USD a day. It goes on at midnight UTC, or when your operator raises your limit.");
        }

        if (!othersAreOpen && !canEndEarly && IsPassed(limits.PerMonth, _thisMonth + amount - beyond))
        {
            return new Refusal(RefusalCode.MonthSpendReached, $"You have spent {_thisMonth} USD this month, and ccp allows you {limits.PerMonth} USD a month: {CannotBeEnded(amount)}");
        }

        if (!othersAreOpen && !canEndEarly && IsPassed(limits.PerDay, _today + amount - beyond))
        {
            return new Refusal(RefusalCode.DaySpendReached, $"You have spent {_today} USD today, and ccp allows you {limits.PerDay} USD a day: {CannotBeEnded(amount)}");
        }

        return othersAreOpen && (IsPassed(limits.PerMonth, _thisMonth + held + amount) || IsPassed(limits.PerDay, _today + held + amount))
            ? new Refusal(
                RefusalCode.SpendSpokenFor,
                "What is left of your ccp spending limit is spoken for by calls in progress. This call goes on when one of them ends; for more at once, ask your operator to raise your limit.")
            : null;
    }

    /// <param name="running">What the calls in progress come to by now.</param>
    /// <param name="beyond">How far beyond a limit running streams may go before they are ended.</param>
    public bool IsPassedBy(in SpendLimits limits, NanoUsd running, NanoUsd beyond, DateTimeOffset now)
    {
        if (limits == default)
        {
            return false;
        }

        TurnTo(DateOnly.FromDateTime(now.UtcDateTime));
        return IsPassed(limits.PerMonth, _thisMonth + running - beyond) || IsPassed(limits.PerDay, _today + running - beyond);
    }

    private static string CannotBeEnded(NanoUsd amount) =>
        $"what is left does not cover what this call may come to ({amount} USD). It is not streamed, so it could not be ended in time. Ask for a stream or a shorter answer, or ask your operator to raise your limit.";

    private static bool IsReached(NanoUsd limit, NanoUsd spent) => limit > NanoUsd.Zero && spent >= limit;

    private static bool IsPassed(NanoUsd limit, NanoUsd spent) => limit > NanoUsd.Zero && spent > limit;

    /// <summary>Forward only: a host's clock that is set back over midnight does not begin the day anew.</summary>
    private void TurnTo(DateOnly day)
    {
        if (day <= _day)
        {
            return;
        }

        _thisMonth = MonthOf(day) == MonthOf(_day) ? _thisMonth : NanoUsd.Zero;
        _today = NanoUsd.Zero;
        _day = day;
    }
}
