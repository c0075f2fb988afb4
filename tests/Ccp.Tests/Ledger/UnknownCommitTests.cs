using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;
using Ccp.Tests.Store;

namespace Ccp.Tests.Ledger;

/// <summary>
/// Goal: when a commit reports an error and its data is on disk all the same, memory and disk say the same again before anything is admitted.
/// Method: SQLite's own hook makes commits report an error after they stand.
/// </summary>
public sealed class UnknownCommitTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Books _books;

    public UnknownCommitTests()
    {
        _books = Books.Open(_folder);
        _books.Writes.AfterFailure = _books.Ledger.Correct;
    }

    public async ValueTask DisposeAsync()
    {
        await _books.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_top_up_that_was_reported_as_failed_and_stands_counts_once_however_often_it_is_repeated()
    {
        var account = await _books.NewAccountAsync();
        UnknownCommit.Begin(_books.Database);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => TopUpAsync(account, 50));
        await FailAsync(TopUpAsync(account, 50));
        Assert.Equal(NanoUsd.Zero, _books.Ledger.StateOf(account).Balance);
        UnknownCommit.End(_books.Database);
        await RecoverAsync();

        Assert.Equal(new NanoUsd(50), _books.Ledger.StateOf(account).Balance);
        Assert.Equal(PostResult.AlreadyPosted, await TopUpAsync(account, 50));
        Assert.Equal(new NanoUsd(50), _books.Ledger.StateOf(account).Balance);
        Assert.Equal(new NanoUsd(50), _books.BalanceOnDisk(account));
    }

    [Fact]
    public async Task A_refused_call_whose_hold_stands_is_not_charged_at_the_next_start()
    {
        var account = await _books.NewAccountAsync(1_000);
        var refused = _books.Place(account, 100);
        UnknownCommit.Begin(_books.Database);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await refused.MakeDurableAsync(Books.RowFor(refused, account, 40)));
        refused.Dispose();
        Assert.Equal(1, _books.Count("hold"));

        UnknownCommit.End(_books.Database);
        await RecoverAsync();
        await _books.Writes.DisposeAsync();
        Assert.Equal(0, _books.Count("hold"));
        Assert.Equal(new NanoUsd(1_000), _books.Ledger.StateOf(account).Balance);
    }

    [Fact]
    public async Task Charges_that_wait_for_the_disk_are_neither_forgotten_nor_taken_twice_when_balances_are_read_anew()
    {
        var account = await _books.NewAccountAsync(1_000);
        var (one, two, three) = (await _books.ServeAsync(account, 100), await _books.ServeAsync(account, 100), await _books.ServeAsync(account, 100));
        UnknownCommit.Begin(_books.Database);
        var first = _books.SettleAsync(one, 30);
        await Waiting.UntilAsync(() => _books.Writes.Problem is not null);
        var second = _books.SettleAsync(two, 7);
        await FailAsync(TopUpAsync(account, 50));
        three.NoteProgress(Books.Progress(5));
        three.Dispose();
        Assert.Equal(new NanoUsd(1_000 - 30 - 7 - 5), _books.Ledger.StateOf(account).Balance);

        UnknownCommit.End(_books.Database);
        await RecoverAsync();
        await Task.WhenAll(first, second);
        await TopUpAsync(account, 50);
        await _books.Writes.DisposeAsync();

        Assert.Equal(new NanoUsd(1_000 - 30 - 7 - 5 + 50), _books.BalanceOnDisk(account));
        Assert.Equal(new NanoUsd(1_000 - 30 - 7 - 5 + 50), _books.Ledger.StateOf(account).Balance);
        Assert.Null(_books.Audit().Problem);
    }

    [Fact]
    public async Task A_charge_that_stands_and_cannot_be_tried_again_for_a_while_is_taken_once()
    {
        var account = await _books.NewAccountAsync(1_000);
        var hold = await _books.ServeAsync(account, 100);
        UnknownCommit.Begin(_books.Database);
        var settled = _books.SettleAsync(hold, 30);
        await Waiting.UntilAsync(() => _books.Writes.Problem is not null);
        Assert.Equal(new NanoUsd(970), _books.BalanceOnDisk(account));
        using var other = Database.OpenWriter(_books.Path, syncsEveryCommit: false);
        other.Execute("ALTER TABLE hold RENAME TO elsewhere");

        UnknownCommit.End(_books.Database);
        for (var attempt = 0; attempt < 4; attempt++)
        {
            var write = _books.Writes.WriteAsync(static _ => true).AsTask();
            await Waiting.UntilAsync(_books.Clock, () => write.IsCompleted);
        }

        Assert.Equal(1, _books.Writes.Unwritten);
        Assert.Equal(new NanoUsd(970), _books.Ledger.StateOf(account).Balance);
        other.Execute("ALTER TABLE elsewhere RENAME TO hold");
        await RecoverAsync();
        await settled;
        Assert.Equal(new NanoUsd(970), _books.BalanceOnDisk(account));
        Assert.Equal(new NanoUsd(970), _books.Ledger.StateOf(account).Balance);
    }

    /// <summary>
    /// Goal: no order of failures and calls makes memory and disk differ in the end.
    /// Method: fixed seeds draw short histories of calls and top-ups, with commits that fail, with and without standing, in between.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Memory_and_disk_agree_after_every_history_of_failures(int seed)
    {
        var random = new Random(seed);
        var account = await _books.NewAccountAsync(1_000_000);
        var open = new List<Hold>();
        var waiting = new List<Task>();
        for (var step = 0; step < 150; step++)
        {
            switch (random.Next(7))
            {
                case 0:
                    UnknownCommit.Begin(_books.Database);
                    break;
                case 1:
                    UnknownCommit.End(_books.Database);
                    _books.Clock.Advance(TimeSpan.FromSeconds(1));
                    break;
                case 2:
                    waiting.Add(TopUpAsync(account, 1_000 + random.Next(5), $"payment {random.Next(20)}"));
                    break;
                case 3 or 4 when open.Count > 0:
                    waiting.Add(_books.SettleAsync(open[^1], random.Next(500)));
                    open.RemoveAt(open.Count - 1);
                    break;
                case 5 when open.Count > 0:
                    open[0].Dispose();
                    open.RemoveAt(0);
                    break;
                default:
                    if (_books.TryPlace(account, 100).Allows(out var hold, out _))
                    {
                        await BeginAsync(hold);
                    }

                    break;
            }
        }

        UnknownCommit.End(_books.Database);
        open.ForEach(hold => hold.Dispose());
        await RecoverAsync();
        await Task.WhenAll(waiting).ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await _books.Writes.DisposeAsync();

        Assert.Equal(_books.BalanceOnDisk(account), _books.Ledger.StateOf(account).Balance);
        Assert.Equal(0, _books.Count("hold"));
        Assert.Null(_books.Audit().Problem);

        async Task BeginAsync(Hold hold)
        {
            var durable = hold.MakeDurableAsync(Books.RowFor(hold, account, 40)).AsTask();
            await Waiting.UntilAsync(_books.Clock, () => durable.IsCompleted);
            if (durable.IsCompletedSuccessfully)
            {
                open.Add(hold);
            }
            else
            {
                hold.Dispose();
            }
        }
    }

    private Task<PostResult> TopUpAsync(long account, long amount, string reference = "payment") =>
        _books.Ledger.PostAsync(account, EntryKind.TopUp, new NanoUsd(amount), reference, "test", "");

    private async Task FailAsync(Task write)
    {
        await Waiting.UntilAsync(_books.Clock, () => write.IsCompleted);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => write);
    }

    private Task RecoverAsync() => Waiting.UntilAsync(_books.Clock, () => _books.Writes is { Problem: null, Unwritten: 0 });
}
