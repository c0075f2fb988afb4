using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Ledger;

/// <summary>How much an account may be charged in a UTC day and in a UTC month. Zero: no limit.</summary>
internal readonly record struct SpendLimits(NanoUsd PerDay, NanoUsd PerMonth);

/// <summary>What an account was charged, by UTC day. Top-ups, refunds and adjustments are no spending. Owned by <see cref="Account"/>, under its lock.</summary>
/// <remarks>Each day keeps its own sum, so a clock that was wrong for a while takes nothing away from the days that are, and adds nothing to them.</remarks>
internal sealed class Spend
{
    /// <summary>This month's, and as many that a wrong clock has made.</summary>
    private const int DaysMax = 64;

    private readonly SortedList<DateOnly, NanoUsd> _days = [];

    public static DateOnly MonthOf(DateOnly day) => new(day.Year, day.Month, 1);

    /// <summary>Counts what is charged now.</summary>
    public void Add(NanoUsd charge, DateTimeOffset now)
    {
        var day = DayOf(now);
        Add(charge, day);
        if (_days.Count > DaysMax)
        {
            // By a clock that has fallen far back today may be the first of them, and is the one that counts.
            _days.RemoveAt(_days.Keys[0] == day ? 1 : 0);
        }
    }

    /// <summary>Counts what was charged before this start.</summary>
    public void Remember(NanoUsd charge, DateTimeOffset at)
    {
        Add(charge, DateOnly.FromDateTime(at.UtcDateTime));
        if (_days.Count > DaysMax)
        {
            _days.RemoveAt(0);
        }
    }

    /// <param name="held">By the calls that are in progress.</param>
    /// <param name="othersAreOpen">With no other call in progress the rest of a limit can be used, whatever the estimate says: <paramref name="beyond"/> bounds what that can cost.</param>
    /// <param name="beyond">How far beyond a limit a call may go. What it comes to before it could be ended must keep to that by itself.</param>
    public Refusal? RefusalOf(Hold hold, NanoUsd held, bool othersAreOpen, NanoUsd beyond, DateTimeOffset now)
    {
        var limits = hold.SpendLimits;
        if (limits == default)
        {
            return null;
        }

        var (today, thisMonth) = SpentBy(now);
        if (IsReached(limits.PerMonth, thisMonth))
        {
            return new Refusal(
                RefusalCode.MonthSpendReached,
                $"You have spent {thisMonth} USD this month, and ccp allows you {limits.PerMonth} USD a month. It goes on with the next month (UTC), or when your operator raises your limit.");
        }

        if (IsReached(limits.PerDay, today))
        {
            return new Refusal(
                RefusalCode.DaySpendReached,
                $"You have spent {today} USD today, and ccp allows you {limits.PerDay} USD a day. It goes on at midnight UTC, or when your operator raises your limit.");
        }

        if (!othersAreOpen && IsPassed(limits.PerMonth, thisMonth + hold.Least - beyond))
        {
            return new Refusal(RefusalCode.MonthSpendReached, $"You have spent {thisMonth} USD this month, and ccp allows you {limits.PerMonth} USD a month: {WhatMustBeThere(hold)}");
        }

        if (!othersAreOpen && IsPassed(limits.PerDay, today + hold.Least - beyond))
        {
            return new Refusal(RefusalCode.DaySpendReached, $"You have spent {today} USD today, and ccp allows you {limits.PerDay} USD a day: {WhatMustBeThere(hold)}");
        }

        return othersAreOpen && (IsPassed(limits.PerMonth, thisMonth + held + hold.Amount) || IsPassed(limits.PerDay, today + held + hold.Amount))
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

        var (today, thisMonth) = SpentBy(now);
        return IsPassed(limits.PerMonth, thisMonth + running - beyond) || IsPassed(limits.PerDay, today + running - beyond);
    }

    private static string WhatMustBeThere(Hold hold) => hold.CanEndEarly
        ? $"what is left does not cover the least that this call comes to ({hold.Least} USD), by the size of its prompt. Begin a new conversation, or ask your operator to raise your limit."
        : $"what is left does not cover what this call may come to ({hold.Least} USD). It is not streamed, so it could not be ended in time. Ask for a stream or a shorter answer, or ask your operator to raise your limit.";

    private static bool IsReached(NanoUsd limit, NanoUsd spent) => limit > NanoUsd.Zero && spent >= limit;

    private static bool IsPassed(NanoUsd limit, NanoUsd spent) => limit > NanoUsd.Zero && spent > limit;

    private (NanoUsd Today, NanoUsd ThisMonth) SpentBy(DateTimeOffset now)
    {
        var today = DayOf(now);
        var month = MonthOf(today);
        var thisMonth = NanoUsd.Zero;
        for (var newest = _days.Count - 1; newest >= 0 && _days.Keys[newest] >= month; newest--)
        {
            thisMonth += MonthOf(_days.Keys[newest]) == month ? _days.Values[newest] : NanoUsd.Zero;
        }

        return (_days.GetValueOrDefault(today), thisMonth);
    }

    /// <summary>A day that was charged on has begun: a clock that is set back over midnight does not end it. One that is further back is believed.</summary>
    private DateOnly DayOf(DateTimeOffset now)
    {
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        return _days.ContainsKey(day.AddDays(1)) ? day.AddDays(1) : day;
    }

    private void Add(NanoUsd charge, DateOnly day) => _days[day] = _days.GetValueOrDefault(day) + charge;
}
