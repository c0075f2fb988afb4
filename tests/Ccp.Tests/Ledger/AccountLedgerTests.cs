using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Tests.Store;

namespace Ccp.Tests.Ledger;

public sealed class AccountLedgerTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Books _books;

    public AccountLedgerTests()
    {
        _books = Books.Open(_folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _books.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_settled_call_is_charged_at_once_in_memory_and_then_on_disk()
    {
        var account = await _books.NewAccountAsync(1_000);
        var hold = await _books.ServeAsync(account, 100);
        Assert.Equal(1, _books.Count("hold"));

        var settled = _books.SettleAsync(hold, 30);
        Assert.Equal(new AccountState(new NanoUsd(970), NanoUsd.Zero, 0), _books.Ledger.StateOf(account));

        await settled;
        Assert.Equal(new NanoUsd(970), _books.BalanceOnDisk(account));
        Assert.Equal(0, _books.Count("hold"));
        var charge = _books.Entries(account)[^1];
        Assert.Equal((EntryKind.Charge, -30L, hold.Id.Value, "ccp"), (charge.Kind, charge.Amount.Value, charge.Reference, charge.Actor));
    }

    [Fact]
    public async Task What_is_written_alongside_stands_and_falls_with_the_charge()
    {
        var account = await _books.NewAccountAsync(1_000);
        var hold = await _books.ServeAsync(account, 100);
        await hold.SettleAsync(new NanoUsd(1), "", database => database.Run("INSERT INTO meta (key, value) VALUES ('alongside', $1)", hold.Id.Value));
        Assert.Equal(hold.Id.Value, _books.Read("SELECT value FROM meta", row => row.GetString(0)));

        var second = await _books.ServeAsync(account, 100);
        var isBroken = true;
        var settled = second.SettleAsync(new NanoUsd(2), "", _ =>
        {
            if (Volatile.Read(ref isBroken))
            {
                throw new InvalidDataException("the record is bad");
            }
        });
        await Waiting.UntilAsync(() => _books.Writes.Problem is not null);
        Assert.Equal(new NanoUsd(999), _books.BalanceOnDisk(account));
        Assert.Equal(1, _books.Count("hold"));

        Volatile.Write(ref isBroken, false);
        await Waiting.UntilAsync(_books.Clock, () => settled.IsCompleted);
        Assert.Equal(new NanoUsd(997), _books.BalanceOnDisk(account));
        Assert.Equal(0, _books.Count("hold"));
    }

    [Fact]
    public async Task A_call_that_came_to_nothing_leaves_no_entry()
    {
        var account = await _books.NewAccountAsync(1_000);
        var served = await _books.ServeAsync(account, 100);
        await _books.SettleAsync(served, charge: null);
        var unserved = _books.Place(account, 100);
        await _books.SettleAsync(unserved, charge: null);

        Assert.Single(_books.Entries(account));
        Assert.Equal(0, _books.Count("hold"));
        Assert.Equal(new AccountState(new NanoUsd(1_000), NanoUsd.Zero, 0), _books.Ledger.StateOf(account));
    }

    [Fact]
    public async Task A_call_at_a_price_of_zero_leaves_an_entry_of_zero()
    {
        var account = await _books.NewAccountAsync();
        var hold = _books.Place(account, 0, isFree: true);
        await _books.SettleAsync(hold, 0);
        Assert.Equal(NanoUsd.Zero, Assert.Single(_books.Entries(account)).Amount);
    }

    [Fact]
    public async Task A_hold_is_settled_once()
    {
        var account = await _books.NewAccountAsync(1_000);
        var hold = await _books.ServeAsync(account, 100);
        await _books.SettleAsync(hold, 30);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _books.SettleAsync(hold, 30));
        hold.Dispose();
        hold.Dispose();
        await _books.Writes.DisposeAsync();

        Assert.Equal(new NanoUsd(970), _books.BalanceOnDisk(account));
        Assert.Equal(new NanoUsd(970), _books.Ledger.StateOf(account).Balance);
    }

    [Fact]
    public async Task A_hold_that_is_dropped_before_it_was_durable_frees_the_money_and_writes_nothing()
    {
        var account = await _books.NewAccountAsync(1_000);
        using (_books.Place(account, 400))
        {
            Assert.Equal(new NanoUsd(600), _books.Ledger.StateOf(account).Available);
        }

        Assert.Equal(new AccountState(new NanoUsd(1_000), NanoUsd.Zero, 0), _books.Ledger.StateOf(account));
        await _books.Writes.DisposeAsync();
        Assert.Single(_books.Entries(account));
    }

    [Theory]
    [InlineData(null, 20)]
    [InlineData(55L, 55)]
    public async Task A_durable_hold_that_is_dropped_is_charged_as_far_as_it_got(long? progress, long charged)
    {
        var account = await _books.NewAccountAsync(1_000);
        var hold = await _books.ServeAsync(account, 400, promptCharge: 20);
        if (progress is { } reached)
        {
            hold.NoteProgress(Books.Progress(reached));
        }

        hold.Dispose();
        Assert.Equal(new AccountState(new NanoUsd(1_000 - charged), NanoUsd.Zero, 0), _books.Ledger.StateOf(account));

        await _books.Writes.DisposeAsync();
        Assert.Equal(new NanoUsd(1_000 - charged), _books.BalanceOnDisk(account));
        Assert.Equal(0, _books.Count("hold"));
        Assert.Equal("internal_error", _books.Read("SELECT reason FROM request WHERE is_estimated = 1 AND charge_nano = $1", row => row.GetString(0), charged));
        Assert.Contains("estimated", _books.Entries(account)[^1].Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_who_is_not_charged_holds_nothing_and_leaves_nothing()
    {
        using (var hold = _books.Ledger.PlaceNothing(RequestId.New()))
        {
            Assert.False(hold.IsCharged);
            hold.NoteProgress(Books.Progress(1_000_000));
            Assert.Null(hold.TakeProgress());
        }

        await _books.Ledger.CheckpointAsync();
        Assert.Equal(0, _books.Count("entry"));
    }

    [Fact]
    public async Task Checkpoints_write_how_far_the_open_calls_have_come()
    {
        var account = await _books.NewAccountAsync(1_000);
        var one = await _books.ServeAsync(account, 100, promptCharge: 20);
        var two = await _books.ServeAsync(account, 100, promptCharge: 20);
        one.NoteProgress(Books.Progress(42));
        await _books.Ledger.CheckpointAsync();

        Assert.Equal(42, ChargeOnDisk(one));
        Assert.Equal(20, ChargeOnDisk(two));

        two.NoteProgress(Books.Progress(43));
        await _books.Ledger.CheckpointAsync(two);
        Assert.Equal(43, ChargeOnDisk(two));
        Assert.Null(two.TakeProgress());
    }

    [Fact]
    public async Task A_checkpoint_that_waits_for_the_disk_says_how_far_a_call_has_come_when_it_is_written()
    {
        var account = await _books.NewAccountAsync(1_000);
        using var hold = await _books.ServeAsync(account, 100, promptCharge: 20);
        using var gate = new ManualResetEventSlim();
        var before = _books.Writes.MustWriteAsync(_ => gate.Wait());
        hold.NoteProgress(Books.Progress(42));
        var checkpoint = _books.Ledger.CheckpointAsync();
        hold.NoteProgress(Books.Progress(43));
        gate.Set();
        await before;
        await checkpoint;

        Assert.Equal(43, ChargeOnDisk(hold));
    }

    [Fact]
    public async Task A_checkpoint_of_a_settled_call_brings_nothing_back()
    {
        var account = await _books.NewAccountAsync(1_000);
        var hold = await _books.ServeAsync(account, 100);
        hold.NoteProgress(Books.Progress(42));
        var checkpoint = _books.Ledger.CheckpointAsync(hold);
        await _books.SettleAsync(hold, 50);
        await checkpoint;
        hold.NoteProgress(Books.Progress(60));
        await _books.Ledger.CheckpointAsync();
        await _books.Ledger.CheckpointAsync(hold);

        Assert.Equal(0, _books.Count("hold"));
        Assert.Equal(new NanoUsd(950), _books.BalanceOnDisk(account));
    }

    [Fact]
    public async Task While_the_store_fails_nothing_billed_is_admitted_and_it_resumes_by_itself()
    {
        var account = await _books.NewAccountAsync(1_000);
        var running = await _books.ServeAsync(account, 100);
        var starting = _books.Place(account, 100);
        using var other = Database.OpenWriter(_books.Path, syncsEveryCommit: false);
        other.Execute("ALTER TABLE hold RENAME TO hold_out_of_reach");

        // What is not on disk is not served.
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await starting.MakeDurableAsync(Books.RowFor(starting, account, 5)));
        starting.Dispose();
        var settled = _books.SettleAsync(running, 30);
        await Waiting.UntilAsync(() => _books.Writes.Problem is not null);
        Assert.False(_books.TryPlace(account, 1).Allows(out _, out var refusal));
        Assert.Equal(RefusalCode.LedgerUnavailable, refusal.Code);

        // The charge counts in memory already, so that the money cannot be spent again.
        Assert.Equal(new AccountState(new NanoUsd(970), NanoUsd.Zero, 0), _books.Ledger.StateOf(account));

        other.Execute("ALTER TABLE hold_out_of_reach RENAME TO hold");
        await Waiting.UntilAsync(_books.Clock, () => settled.IsCompleted);
        await Waiting.UntilAsync(() => _books.Writes.Problem is null);
        _books.Place(account, 1).Dispose();
        Assert.Equal(new NanoUsd(970), _books.BalanceOnDisk(account));
        Assert.Equal(0, _books.Count("hold"));
    }

    [Fact]
    public async Task A_top_up_that_could_not_be_written_does_not_count()
    {
        var account = await _books.NewAccountAsync();
        using var other = Database.OpenWriter(_books.Path, syncsEveryCommit: false);
        other.Execute("ALTER TABLE entry RENAME TO entry_out_of_reach");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _books.Ledger.PostAsync(account, EntryKind.TopUp, new NanoUsd(50), "t", "test", ""));
        Assert.Equal(NanoUsd.Zero, _books.Ledger.StateOf(account).Balance);

        other.Execute("ALTER TABLE entry_out_of_reach RENAME TO entry");
        Assert.Equal(PostResult.Posted, await _books.Ledger.PostAsync(account, EntryKind.TopUp, new NanoUsd(50), "t", "test", ""));
        Assert.Equal(new NanoUsd(50), _books.Ledger.StateOf(account).Balance);
    }

    private long ChargeOnDisk(Hold hold) => _books.Read("SELECT charge_nano FROM hold WHERE request_id = $1", row => row.GetInt64(0), hold.Id.Value);
}
