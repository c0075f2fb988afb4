using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Tests.Store;

namespace Ccp.Tests.Ledger;

public sealed class HoldRecoveryTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Calls_in_progress_at_a_crash_are_charged_from_their_last_checkpoint_else_from_the_prompt()
    {
        long account;
        await using (var before = Books.Open(_folder))
        {
            account = await before.NewAccountAsync(1_000);
            var far = await before.ServeAsync(account, 100, promptCharge: 20);
            far.NoteProgress(Books.Progress(70));
            await before.Ledger.CheckpointAsync();
            far.NoteProgress(Books.Progress(75));
            await before.ServeAsync(account, 100, promptCharge: 20);
            before.Place(account, 100);
        }

        await using var after = Books.Open(_folder);
        Assert.Equal((2, new NanoUsd(90)), after.Recovered);
        Assert.Equal(new AccountState(new NanoUsd(910), NanoUsd.Zero, 0), after.Ledger.StateOf(account));
        Assert.Equal(new NanoUsd(910), after.BalanceOnDisk(account));
        Assert.Equal(0, after.Count("hold"));
        Assert.Equal(2, after.Read("SELECT count(*) FROM request WHERE reason = 'crash' AND is_estimated = 1", row => row.GetInt64(0)));
        Assert.All(after.Entries(account).Skip(1), entry => Assert.Contains("crash", entry.Note, StringComparison.Ordinal));
        Assert.Null(after.Audit().Problem);
    }

    [Fact]
    public async Task A_call_that_was_priced_as_another_model_is_recorded_as_such()
    {
        await using (var before = Books.Open(_folder))
        {
            var account = await before.NewAccountAsync(1_000);
            var hold = before.Place(account, 100);
            var row = PriceBook.BuiltIn.Find("claude-haiku-5-5", before.Clock.GetUtcNow())!;
            var card = new RateCard("claude-opus-5-5", row, 2m, PriceBook.BuiltIn, before.Clock.GetUtcNow(), IsFixed: true);
            await hold.MakeDurableAsync(Books.RowFor(hold, account, promptCharge: 20) with { Rates = card.ToJson() });
        }

        await using var after = Books.Open(_folder);
        Assert.Equal(("claude-opus-5-5", "claude-haiku-5-5"), after.Read("SELECT model, priced_as FROM request", row => (row.GetString(0), row.GetString(1))));
    }

    [Fact]
    public async Task The_terms_that_a_call_was_served_at_are_kept_with_its_record()
    {
        await using (var before = Books.Open(_folder))
        {
            var account = await before.NewAccountAsync(1_000);
            var card = new RateCard("claude-opus-5-5", PriceBook.BuiltIn.Find("claude-opus-5-5", before.Clock.GetUtcNow())!, 2m, PriceBook.BuiltIn, before.Clock.GetUtcNow(), IsFixed: false);
            var asked = before.Place(account, 100);
            await asked.MakeDurableAsync(Books.RowFor(asked, account, promptCharge: 20) with { Rates = card.ToJson(), Terms = new PriceTerms("us", "fast") });
            var reported = before.Place(account, 100);
            await reported.MakeDurableAsync(Books.RowFor(reported, account, promptCharge: 20) with { Rates = card.ToJson() });
            reported.NoteProgress(Books.Progress(70) with { Terms = new PriceTerms("us", "fast") });
            await before.Ledger.CheckpointAsync();
        }

        await using var after = Books.Open(_folder);
        Assert.Equal(2, after.Read("""SELECT count(*) FROM request WHERE metered LIKE '%"inference_geo":"us","speed":"fast"%'""", row => row.GetInt64(0)));
    }

    [Fact]
    public async Task Where_a_call_was_to_go_and_why_is_kept_with_its_record()
    {
        var decided = new LaneDecision("zai", "license_block", "route", "other=no_price");
        await using (var before = Books.Open(_folder))
        {
            var account = await before.NewAccountAsync(1_000);
            var hold = before.Place(account, 100);
            await hold.MakeDurableAsync(Books.RowFor(hold, account, promptCharge: 20) with { Decision = decided });
        }

        await using var after = Books.Open(_folder);
        Assert.Equal(decided, after.Read("SELECT decision, decision_reason, chosen_by, rejected FROM request", row => LaneDecision.Read(row, 0)));
    }

    [Fact]
    public async Task Recovering_again_charges_nothing_again()
    {
        long account;
        await using (var before = Books.Open(_folder))
        {
            account = await before.NewAccountAsync(1_000);
            await before.ServeAsync(account, 100, promptCharge: 20);
        }

        for (var start = 0; start < 3; start++)
        {
            await using var after = Books.Open(_folder);
            Assert.Equal(start == 0 ? 1 : 0, after.Recovered.Count);
            Assert.Equal(new NanoUsd(980), after.BalanceOnDisk(account));
        }
    }

    [Fact]
    public async Task A_row_left_behind_by_a_call_that_was_charged_is_cleared_without_a_second_charge()
    {
        long account;
        await using (var before = Books.Open(_folder))
        {
            account = await before.NewAccountAsync(1_000);
            var hold = await before.ServeAsync(account, 100, promptCharge: 20);
            await before.Ledger.PostAsync(account, EntryKind.Charge, new NanoUsd(-33), hold.Id.Value, "ccp", "a call");
        }

        await using var after = Books.Open(_folder);
        Assert.Equal(new NanoUsd(967), after.BalanceOnDisk(account));
        Assert.Equal(0, after.Count("hold"));
        Assert.Equal(0, after.Count("request"));
    }
}
