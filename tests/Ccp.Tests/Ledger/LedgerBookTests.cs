using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Tests.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Tests.Ledger;

public sealed class LedgerBookTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Books _books;

    public LedgerBookTests()
    {
        _books = Books.Open(_folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _books.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_entry_says_the_balance_after_it()
    {
        var account = await _books.NewAccountAsync();
        await PostAsync(account, EntryKind.TopUp, 100, "t1");
        await PostAsync(account, EntryKind.Charge, -30, "c1");
        await PostAsync(account, EntryKind.Refund, 10, "r1");
        await PostAsync(account, EntryKind.Adjustment, -95, "a1");

        var entries = _books.Entries(account);
        Assert.Equal([100, 70, 80, -15], entries.Select(entry => entry.BalanceAfter.Value));
        Assert.Equal([EntryKind.TopUp, EntryKind.Charge, EntryKind.Refund, EntryKind.Adjustment], entries.Select(entry => entry.Kind));
        Assert.Equal(new NanoUsd(-15), _books.BalanceOnDisk(account));
        Assert.Equal(new NanoUsd(-15), _books.Ledger.StateOf(account).Balance);
    }

    [Fact]
    public async Task The_same_reference_again_changes_nothing_and_says_so()
    {
        var account = await _books.NewAccountAsync();
        Assert.Equal(PostResult.Posted, await PostAsync(account, EntryKind.TopUp, 100, "paid-1"));
        Assert.Equal(PostResult.AlreadyPosted, await PostAsync(account, EntryKind.TopUp, 100, "paid-1"));

        Assert.Single(_books.Entries(account));
        Assert.Equal(new NanoUsd(100), _books.Ledger.StateOf(account).Balance);
    }

    [Fact]
    public async Task The_same_reference_on_other_terms_changes_nothing_and_says_so()
    {
        var account = await _books.NewAccountAsync();
        await PostAsync(account, EntryKind.TopUp, 100, "paid-1");
        Assert.Equal(PostResult.PostedOnOtherTerms, await PostAsync(account, EntryKind.TopUp, 101, "paid-1"));

        Assert.Single(_books.Entries(account));
        Assert.Equal(new NanoUsd(100), _books.Ledger.StateOf(account).Balance);
    }

    [Fact]
    public async Task A_reference_is_unique_per_account_and_kind_only()
    {
        var first = await _books.NewAccountAsync();
        var second = await _books.NewAccountAsync();
        Assert.Equal(PostResult.Posted, await PostAsync(first, EntryKind.TopUp, 1, "x"));
        Assert.Equal(PostResult.Posted, await PostAsync(first, EntryKind.Refund, 1, "x"));
        Assert.Equal(PostResult.Posted, await PostAsync(second, EntryKind.TopUp, 2, "x"));
    }

    [Fact]
    public async Task A_hundred_identical_top_ups_at_once_count_once()
    {
        var account = await _books.NewAccountAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => PostAsync(account, EntryKind.TopUp, 50, "paid-1"))));

        Assert.Single(results, PostResult.Posted);
        Assert.Equal(new NanoUsd(50), _books.BalanceOnDisk(account));
        Assert.Equal(new NanoUsd(50), _books.Ledger.StateOf(account).Balance);
    }

    [Theory]
    [InlineData(1, "charge that gives")]
    [InlineData(-1, "top-up that takes")]
    [InlineData(0, "top-up of nothing")]
    public async Task An_entry_with_the_wrong_sign_is_refused_by_the_store(long amount, string what)
    {
        var account = await _books.NewAccountAsync(10);
        var kind = amount > 0 ? EntryKind.Charge : EntryKind.TopUp;

        await Assert.ThrowsAsync<SqliteException>(() => PostAsync(account, kind, amount, what));
        Assert.Equal(new NanoUsd(10), _books.BalanceOnDisk(account));
        Assert.Equal(new NanoUsd(10), _books.Ledger.StateOf(account).Balance);
    }

    [Fact]
    public async Task Nothing_is_posted_to_an_account_that_does_not_exist()
    {
        await Assert.ThrowsAsync<SqliteException>(() => PostAsync(999, EntryKind.TopUp, 1, "x"));
        Assert.Equal(0, _books.Count("entry"));
        Assert.Equal(NanoUsd.Zero, _books.Ledger.StateOf(999).Balance);
    }

    [Theory]
    [InlineData("UPDATE entry SET amount_nano = 1")]
    [InlineData("UPDATE entry SET note = 'other'")]
    [InlineData("DELETE FROM entry")]
    [InlineData("DELETE FROM entry WHERE id = 1")]
    public async Task An_entry_can_be_neither_changed_nor_deleted(string sql)
    {
        var account = await _books.NewAccountAsync(10);

        await Assert.ThrowsAsync<SqliteException>(async () => await _books.Writes.WriteAsync(database => database.Run(sql)));
        Assert.Equal(10, Assert.Single(_books.Entries(account)).Amount.Value);
    }

    [Fact]
    public async Task A_clock_that_is_set_back_does_not_turn_the_ledger_back()
    {
        var account = await _books.NewAccountAsync(10);
        var before = _books.Clock.GetUtcNow();
        _books.Clock.JumpTo(before.AddDays(-3));
        await PostAsync(account, EntryKind.TopUp, 1, "x");
        _books.Clock.JumpTo(before.AddMinutes(1));
        await PostAsync(account, EntryKind.TopUp, 1, "y");

        Assert.Equal([before, before, before.AddMinutes(1)], _books.Entries(account).Select(entry => entry.At));
        Assert.Null(_books.Audit().Problem);
    }

    [Fact]
    public async Task The_newest_entries_come_page_by_page()
    {
        var account = await _books.NewAccountAsync();
        for (var number = 1; number <= 5; number++)
        {
            await PostAsync(account, EntryKind.TopUp, number, $"{number}");
        }

        using var reader = Ccp.Store.Database.OpenReader(_books.Path);
        var first = LedgerBook.Newest(reader, account, limit: 2, before: null);
        var second = LedgerBook.Newest(reader, account, limit: 2, before: first[^1].Id);
        Assert.Equal([5, 4, 3, 2], first.Concat(second).Select(entry => entry.Amount.Value));
    }

    private Task<PostResult> PostAsync(long account, EntryKind kind, long amount, string reference) =>
        _books.Ledger.PostAsync(account, kind, new NanoUsd(amount), reference, "test", "a note");
}
