using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Tests.Store;

namespace Ccp.Tests.Ledger;

/// <summary>Who is let in, and what happens to the money that is set aside.</summary>
public sealed class AccountTests : IAsyncDisposable
{
    private const long Overdraft = 1_000;

    private readonly TempFolder _folder = new();
    private readonly Books _books;

    public AccountTests()
    {
        _books = Books.Open(_folder, overdraft: Overdraft);
    }

    public async ValueTask DisposeAsync()
    {
        await _books.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    // Balance at or under zero: only a top-up helps, whatever is asked for.
    [InlineData(0, 0, 0, "InsufficientCredit")]
    [InlineData(0, 0, 100, "InsufficientCredit")]
    [InlineData(-1, 0, 1, "InsufficientCredit")]
    [InlineData(-1_000_000, 0, 0, "InsufficientCredit")]
    // Nothing else in progress: the last cent may be spent.
    [InlineData(1, 0, 0, null)]
    [InlineData(1, 0, 1, null)]
    [InlineData(1, 0, 1_000_000_000_000, null)]
    // Something in progress: what is left must cover the new hold.
    [InlineData(100, 40, 60, null)]
    [InlineData(100, 40, 61, "FundsSpokenFor")]
    [InlineData(100, 100, 1, "FundsSpokenFor")]
    [InlineData(100, 100, 0, null)]
    [InlineData(100, 500, 1, "FundsSpokenFor")]
    public async Task A_call_is_admitted_by_balance_and_holds(long balance, long held, long amount, string? refusedAs)
    {
        var account = await _books.NewAccountAsync(balance);
        using var other = held > 0 ? _books.Place(account, held) : null;

        var isAdmitted = _books.TryPlace(account, amount).Allows(out var hold, out var refusal);

        Assert.Equal(refusedAs, refusal?.Code.ToString());
        Assert.Equal(refusedAs is null, isAdmitted);
        Assert.Equal(held + (hold?.Amount.Value ?? 0), _books.Ledger.StateOf(account).Held.Value);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5_000)]
    [InlineData(10)]
    public async Task A_model_that_costs_nothing_needs_no_balance(long balance)
    {
        var account = await _books.NewAccountAsync(balance);
        using var first = _books.Place(account, 0, isFree: true);
        using var second = _books.Place(account, 0, isFree: true);
        Assert.Equal(2, _books.Ledger.StateOf(account).OpenHolds);
    }

    [Fact]
    public async Task A_call_that_costs_nothing_does_not_lock_the_user_out_of_the_last_dollars()
    {
        var account = await _books.NewAccountAsync(10);
        using var free = _books.Place(account, 0, isFree: true);
        using var paid = _books.Place(account, 500);
        Assert.Equal(new NanoUsd(500), _books.Ledger.StateOf(account).Held);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task A_call_that_cannot_be_ended_is_admitted_alone_only_if_balance_and_overdraft_cover_all_of_it(long beyond, bool isAdmitted)
    {
        var account = await _books.NewAccountAsync(10);
        Assert.Equal(isAdmitted, _books.TryPlace(account, 10 + Overdraft + beyond, canEndEarly: false).Allows(out var hold, out var refusal));
        Assert.Equal(isAdmitted ? null : RefusalCode.InsufficientCredit, refusal?.Code);
        hold?.Dispose();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task A_stream_is_admitted_alone_only_if_balance_and_overdraft_cover_the_least_that_its_first_event_comes_to(long beyond, bool isAdmitted)
    {
        var account = await _books.NewAccountAsync(10);

        // What costs nothing is no other.
        using var free = _books.Place(account, 0, isFree: true);
        Assert.Equal(isAdmitted, _books.TryPlace(account, 1_000_000, least: 10 + Overdraft + beyond).Allows(out var hold, out var refusal));
        Assert.Equal(isAdmitted ? null : RefusalCode.InsufficientCredit, refusal?.Code);
        if (refusal is not null)
        {
            Assert.Contains("0.00000001 USD does not cover the least that this call comes to (0.000001011 USD)", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("top-up", refusal.Message, StringComparison.Ordinal);
        }

        hold?.Dispose();
    }

    [Fact]
    public async Task A_stream_that_could_not_be_paid_for_alone_waits_while_others_are_in_progress()
    {
        var account = await _books.NewAccountAsync(10);
        using var other = _books.Place(account, 1);
        Assert.False(_books.TryPlace(account, 5_000, least: 5_000).Allows(out _, out var refusal));
        Assert.Equal(RefusalCode.FundsSpokenFor, refusal.Code);
    }

    [Fact]
    public async Task What_a_stream_has_come_to_beyond_its_hold_cannot_be_held_again()
    {
        var account = await _books.NewAccountAsync(100);
        using var running = _books.Place(account, 10);
        running.NoteProgress(Books.Progress(60));

        Assert.Equal(new NanoUsd(60), _books.Ledger.StateOf(account).Held);
        Assert.False(_books.TryPlace(account, 41).Allows(out _, out _));
        using var fits = _books.Place(account, 40);
    }

    [Fact]
    public async Task Money_on_hold_cannot_be_held_twice_however_many_ask_at_once()
    {
        var account = await _books.NewAccountAsync(1_000);
        var holds = new Hold?[200];
        Parallel.For(0, holds.Length, number => holds[number] = _books.TryPlace(account, 100).Allows(out var hold, out _) ? hold : null);

        Assert.Equal(10, holds.Count(hold => hold is not null));
        Assert.Equal(new AccountState(new NanoUsd(1_000), new NanoUsd(1_000), 10), _books.Ledger.StateOf(account));
        Assert.Equal(NanoUsd.Zero, _books.Ledger.StateOf(account).Available);
        foreach (var hold in holds)
        {
            hold?.Dispose();
        }

        Assert.Equal(new AccountState(new NanoUsd(1_000), NanoUsd.Zero, 0), _books.Ledger.StateOf(account));
    }

    [Fact]
    public async Task Accounts_do_not_lend_to_one_another()
    {
        var rich = await _books.NewAccountAsync(1_000_000);
        var poor = await _books.NewAccountAsync();
        Assert.False(_books.TryPlace(poor, 1).Allows(out _, out _));
        using var hold = _books.Place(rich, 1_000_000);
        Assert.Equal(NanoUsd.Zero, _books.Ledger.StateOf(poor).Held);
    }

    [Fact]
    public async Task An_overdrawn_account_ends_the_stream_that_went_beyond_and_the_newest_of_the_others_one_by_one()
    {
        var account = await _books.NewAccountAsync(100);
        var oldest = _books.Place(account, 10);
        var middle = _books.Place(account, 10);
        var whole = _books.Place(account, 10, canEndEarly: false);
        var newest = _books.Place(account, 10);

        // The whole answer counts as the ten it may come to, from the start.
        oldest.NoteProgress(Books.Progress(90 + Overdraft));
        Assert.False(newest.MustEnd);

        var wasWoken = false;
        newest.OnMustEnd = () => wasWoken = true;
        oldest.NoteProgress(Books.Progress(91 + Overdraft));
        Assert.True(newest.MustEnd);
        Assert.True(wasWoken);
        Assert.True(oldest.MustEnd);
        Assert.False(middle.MustEnd);

        whole.NoteProgress(Books.Progress(1));
        Assert.True(middle.MustEnd);
        Assert.False(whole.MustEnd);

        whole.NoteProgress(Books.Progress(2));
        Assert.False(whole.MustEnd);
        foreach (var hold in new[] { oldest, middle, whole, newest })
        {
            await _books.SettleAsync(hold, charge: 50);
        }

        Assert.Equal(new AccountState(new NanoUsd(-100), NanoUsd.Zero, 0), _books.Ledger.StateOf(account));
    }

    [Fact]
    public async Task A_stream_that_costs_nothing_is_not_ended_for_want_of_money()
    {
        var account = await _books.NewAccountAsync(-5 * Overdraft);
        using var free = _books.Place(account, 0, isFree: true);
        free.NoteProgress(Books.Progress(0));
        Assert.False(free.MustEnd);
    }

    [Fact]
    public async Task What_calls_run_up_counts_across_all_of_them_and_no_more_once_they_are_over()
    {
        var account = await _books.NewAccountAsync(100);
        var holds = Enumerable.Range(0, 4).Select(_ => _books.Place(account, 1)).ToArray();
        foreach (var hold in holds[..3])
        {
            hold.NoteProgress(Books.Progress((100 + Overdraft) / 4));
            hold.NoteProgress(Books.Progress((100 + Overdraft) / 4));
        }

        Assert.DoesNotContain(holds, hold => hold.MustEnd);

        // One comes to nothing after all: what it had run up is free again.
        await _books.SettleAsync(holds[0], charge: null);
        holds[1].NoteProgress(Books.Progress((100 + Overdraft) / 2));
        Assert.DoesNotContain(holds, hold => hold.MustEnd);
        holds[1].NoteProgress(Books.Progress(100 + Overdraft));
        Assert.True(holds[3].MustEnd);
    }

    [Fact]
    public async Task A_top_up_lets_the_next_call_in()
    {
        var account = await _books.NewAccountAsync();
        Assert.False(_books.TryPlace(account, 5).Allows(out _, out var refusal));
        Assert.Equal(RefusalCode.InsufficientCredit, refusal.Code);
        await _books.Ledger.PostAsync(account, EntryKind.TopUp, new NanoUsd(50), "t", "test", "");
        _books.Place(account, 5).Dispose();
    }
}
