using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Telemetry;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Ccp.Usage;

namespace Ccp.Tests.Ledger;

/// <summary>What an account may be charged in a day and in a month.</summary>
public sealed class SpendTests : IAsyncDisposable
{
    private const long Overdraft = 100;

    private static readonly SpendLimits Thousand = new(new NanoUsd(1_000), NanoUsd.Zero);

    private readonly TempFolder _folder = new();
    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero));
    private Books _books;

    public SpendTests()
    {
        _books = Books.Open(_folder, _clock, overdraft: Overdraft);
    }

    public async ValueTask DisposeAsync()
    {
        await _books.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Up_to_the_limit_calls_are_let_in_and_at_the_limit_none_until_midnight()
    {
        var account = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 999);
        await ChargeAsync(account, 1);

        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));
        Assert.Null(CodeOf(account, new SpendLimits(new NanoUsd(1_001), NanoUsd.Zero)));
        Assert.Null(CodeOf(account, default));

        _clock.Advance(TimeSpan.FromHours(12) - TimeSpan.FromTicks(1));
        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(CodeOf(account, Thousand));
    }

    [Fact]
    public async Task A_month_ends_with_the_calendar_s()
    {
        var monthly = new SpendLimits(NanoUsd.Zero, new NanoUsd(1_000));
        var account = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 600);
        _clock.Advance(TimeSpan.FromDays(1));
        await ChargeAsync(account, 400);

        Assert.Equal(RefusalCode.MonthSpendReached, CodeOf(account, monthly));
        Assert.Null(CodeOf(account, Thousand));
        _clock.Advance(TimeSpan.FromHours(12));
        Assert.Null(CodeOf(account, monthly));
    }

    [Fact]
    public async Task A_clock_set_back_over_midnight_does_not_begin_the_day_anew()
    {
        var account = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 1_000);
        _clock.JumpTo(_clock.GetUtcNow() - TimeSpan.FromDays(1));
        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));
    }

    [Fact]
    public async Task What_calls_in_progress_hold_is_spoken_for()
    {
        var account = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 500);
        Assert.True(TryPlace(account, 400, Thousand).Allows(out var first, out _));

        Assert.Equal(RefusalCode.SpendSpokenFor, CodeOf(account, Thousand, amount: 101));
        Assert.Null(CodeOf(account, Thousand, amount: 100));

        // Nobody else being there, the rest can be used whatever the estimate says.
        await _books.SettleAsync(first, charge: 499);
        Assert.Null(CodeOf(account, Thousand, amount: 1_000_000));
    }

    [Theory]
    [InlineData(true, 600, null)]
    [InlineData(true, 601, "DaySpendReached")]
    [InlineData(false, 600, null)]
    [InlineData(false, 601, "MonthSpendReached")]
    public async Task A_call_that_cannot_be_ended_is_let_in_alone_only_if_the_rest_of_the_limit_and_the_overdraft_cover_all_of_it(bool isDaily, long amount, string? refusedAs)
    {
        var limits = isDaily ? Thousand : new SpendLimits(NanoUsd.Zero, new NanoUsd(1_000));
        var account = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 500);

        // A call that costs nothing is in nobody's way, and is no other.
        using var free = _books.Place(account, 0, isFree: true);
        var isLetIn = TryPlace(account, amount, limits, canEndEarly: false).Allows(out var hold, out var refusal);

        Assert.Equal(refusedAs, refusal?.Code.ToString());
        Assert.Equal(refusedAs is null, isLetIn);
        if (refusal is not null)
        {
            Assert.Contains("0.0000005 USD", refusal.Message, StringComparison.Ordinal);
            Assert.Contains($"0.000001 USD a {(isDaily ? "day" : "month")}", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("(0.000000601 USD)", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("not streamed", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(402, RefusalMap.ToWire(refusal).Status);
        }

        // A stream is ended in time, and may use the rest whatever the estimate says.
        hold?.Dispose();
        Assert.Null(CodeOf(account, limits, amount: 1_000_000));
    }

    [Theory]
    [InlineData(true, 600, null)]
    [InlineData(true, 601, "DaySpendReached")]
    [InlineData(false, 600, null)]
    [InlineData(false, 601, "MonthSpendReached")]
    public async Task A_stream_is_let_in_alone_only_if_the_rest_of_the_limit_and_the_overdraft_cover_the_least_it_comes_to(bool isDaily, long least, string? refusedAs)
    {
        var limits = isDaily ? Thousand : new SpendLimits(NanoUsd.Zero, new NanoUsd(1_000));
        var account = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 500);
        var isLetIn = _books.Ledger.Place(account, RequestId.New(), new NanoUsd(5_000), isFree: false, canEndEarly: true, limits, new NanoUsd(least)).Allows(out var hold, out var refusal);

        Assert.Equal(refusedAs, refusal?.Code.ToString());
        Assert.Equal(refusedAs is null, isLetIn);
        Assert.True(refusal is null || refusal.Message.Contains("the least that this call comes to (0.000000601 USD)", StringComparison.Ordinal), refusal?.Message);
        hold?.Dispose();
    }

    [Fact]
    public async Task However_many_ask_at_once_they_hold_no_more_than_is_left()
    {
        var account = await _books.NewAccountAsync(1_000_000);
        var admitted = 0;
        Parallel.For(0, 200, _ =>
        {
            if (TryPlace(account, 100, Thousand).Allows(out var _, out var _))
            {
                Interlocked.Increment(ref admitted);
            }
        });

        Assert.Equal(10, admitted);
    }

    [Fact]
    public async Task Streams_that_pass_the_limit_by_more_than_the_overdraft_are_ended_newest_first_and_say_so()
    {
        var account = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 500);
        Assert.True(TryPlace(account, 1, Thousand).Allows(out var older, out _));
        Assert.True(TryPlace(account, 1, Thousand).Allows(out var newer, out _));

        older.NoteProgress(Books.Progress(300));
        newer.NoteProgress(Books.Progress(200 + Overdraft));
        Assert.False(newer.MustEnd);
        newer.NoteProgress(Books.Progress(201 + Overdraft));

        Assert.True(newer.MustEnd);
        Assert.Equal(EndCause.SpendLimit, newer.EndCause);
        Assert.False(older.MustEnd);
    }

    [Fact]
    public async Task Want_of_balance_is_named_before_a_limit()
    {
        var account = await _books.NewAccountAsync(100);
        Assert.True(TryPlace(account, 1, new SpendLimits(new NanoUsd(50), NanoUsd.Zero)).Allows(out var hold, out _));
        hold.NoteProgress(Books.Progress(101 + Overdraft));
        Assert.Equal(EndCause.Overdrawn, hold.EndCause);
    }

    [Fact]
    public async Task What_was_spent_is_known_after_a_restart_from_the_entries_of_the_month()
    {
        _clock.JumpTo(new DateTimeOffset(2026, 10, 31, 12, 0, 0, TimeSpan.Zero));
        var account = await _books.NewAccountAsync(1_000_000);
        var other = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 5_000);
        _clock.Advance(TimeSpan.FromDays(28));
        await ChargeAsync(account, 300);
        _clock.Advance(TimeSpan.FromDays(1));
        await ChargeAsync(account, 70);
        await ChargeAsync(other, 1);
        await _books.Ledger.PostAsync(account, EntryKind.Refund, new NanoUsd(70), "back", "test", "");
        await _books.Ledger.PostAsync(account, EntryKind.TopUp, new NanoUsd(5_000), "top", "test", "");
        await RestartAsync();

        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, new SpendLimits(new NanoUsd(70), NanoUsd.Zero)));
        Assert.Null(CodeOf(account, new SpendLimits(new NanoUsd(71), NanoUsd.Zero)));
        Assert.Equal(RefusalCode.MonthSpendReached, CodeOf(account, new SpendLimits(NanoUsd.Zero, new NanoUsd(370))));
        Assert.Null(CodeOf(account, new SpendLimits(NanoUsd.Zero, new NanoUsd(371))));
        Assert.Null(CodeOf(other, new SpendLimits(new NanoUsd(2), NanoUsd.Zero)));
    }

    [Fact]
    public async Task A_clock_that_falls_far_back_after_many_days_still_counts_today()
    {
        var account = await _books.NewAccountAsync(1_000_000);
        for (var day = 0; day < 70; day++)
        {
            await ChargeAsync(account, 1);
            _clock.Advance(TimeSpan.FromDays(1));
        }

        _clock.JumpTo(DateTimeOffset.UnixEpoch);
        await ChargeAsync(account, 600);
        Assert.Null(CodeOf(account, Thousand));
        await ChargeAsync(account, 400);
        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));
    }

    /// <summary>Each entry after the one of 2030 says 2030 too.</summary>
    [Fact]
    public async Task After_a_clock_that_was_years_ahead_for_one_call_days_and_months_are_counted_as_ever_also_after_restarts()
    {
        var monthly = new SpendLimits(NanoUsd.Zero, new NanoUsd(2_000));
        var account = await _books.NewAccountAsync(1_000_000);
        await ServeAsync(account, 100);
        var right = _clock.GetUtcNow();
        _clock.JumpTo(right.AddYears(4));
        await ServeAsync(account, 100);
        _clock.JumpTo(right);
        await RestartAsync();

        await ServeAsync(account, 800);
        await RestartAsync();
        Assert.Null(CodeOf(account, Thousand));
        await ServeAsync(account, 100);
        await RestartAsync();
        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));

        _clock.Advance(TimeSpan.FromDays(1));
        await RestartAsync();
        Assert.Null(CodeOf(account, Thousand));
        await ServeAsync(account, 999);
        await RestartAsync();
        Assert.Null(CodeOf(account, monthly));
        await ServeAsync(account, 1);
        await RestartAsync();
        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));
        Assert.Equal(RefusalCode.MonthSpendReached, CodeOf(account, monthly));
        Assert.All(_books.Entries(account).Skip(2), entry => Assert.Equal(2030, entry.At.Year));
    }

    [Fact]
    public async Task While_ccp_runs_a_clock_that_is_years_ahead_for_a_while_takes_nothing_from_the_day()
    {
        var account = await _books.NewAccountAsync(1_000_000);
        await ServeAsync(account, 600);
        var right = _clock.GetUtcNow();
        _clock.JumpTo(right.AddYears(4));
        await ServeAsync(account, 1_000);
        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));
        _clock.JumpTo(right);
        Assert.Null(CodeOf(account, Thousand));
        await ServeAsync(account, 400);
        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-4)]
    public async Task What_was_spent_is_known_when_the_clock_is_put_right_after_a_start_years_away(int years)
    {
        var account = await _books.NewAccountAsync(1_000_000);
        await ServeAsync(account, 1_000);
        var right = _clock.GetUtcNow();
        _clock.JumpTo(right.AddYears(years));
        await RestartAsync();
        _clock.JumpTo(right);
        Assert.Equal(RefusalCode.DaySpendReached, CodeOf(account, Thousand));
    }

    [Fact]
    public async Task What_costs_nothing_is_not_limited()
    {
        var account = await _books.NewAccountAsync(1_000_000);
        await ChargeAsync(account, 1_000);
        Assert.True(_books.Ledger.Place(account, RequestId.New(), NanoUsd.Zero, isFree: true, canEndEarly: true, Thousand).Allows(out _, out _));
    }

    private async Task ChargeAsync(long account, long charge) => await _books.SettleAsync(_books.Place(account, charge), charge);

    /// <summary>With the record that a call leaves.</summary>
    private async Task ServeAsync(long account, long charge)
    {
        var hold = _books.Place(account, charge);
        var record = new RequestRecord(
            hold.Id.Value, _clock.GetUtcNow(), account, 1, "claude-opus-5-5", null, "claude-opus-5-5", "anthropic", 200, "streaming", true, false, default, 0,
            new NanoUsd(charge), new NanoUsd(charge), null, null, null, TimeSpan.FromMilliseconds(5), null, "{}");
        await hold.SettleAsync(new NanoUsd(charge), "a call", record.Insert);
    }

    private async Task RestartAsync()
    {
        await _books.DisposeAsync();
        _books = Books.Open(_folder, _clock, overdraft: Overdraft);
    }

    private Decision<Hold> TryPlace(long account, long amount, SpendLimits limits, bool canEndEarly = true) =>
        _books.Ledger.Place(account, RequestId.New(), new NanoUsd(amount), isFree: false, canEndEarly, limits);

    /// <summary>Why a call is not let in; null when it is. One that is, ends at once.</summary>
    private RefusalCode? CodeOf(long account, SpendLimits limits, long amount = 1)
    {
        if (TryPlace(account, amount, limits).Allows(out var hold, out var refusal))
        {
            hold.Dispose();
            return null;
        }

        return refusal.Code;
    }
}
