using Ccp.Forwarding;
using Ccp.Metering;
using Ccp.Pricing;
using Ccp.Tests.Ledger;
using Ccp.Tests.Store;
using Ccp.Usage;

namespace Ccp.Tests.Forwarding;

public sealed class CallMoneyTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Books _books;

    public CallMoneyTests()
    {
        _books = Books.Open(_folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _books.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0, 50, 1_000 + (50 * 5))]
    [InlineData(300, 50, 300 + (50 * 5))]
    public async Task Until_the_provider_counts_the_prompt_its_estimate_stands_on_disk(long prompt, long output, long charge)
    {
        var account = await _books.NewAccountAsync(1_000_000_000);
        using var hold = _books.Place(account, 10);
        var rates = new RateCard("a", new PriceRow("a", new TokenPrices(0.001m, 0, 0, 0, 0.005m), null, null, 0, 1, null, default, "test"), 1m, PriceBook.BuiltIn, default, true);
        var row = Books.RowFor(hold, account, 1_000) with { Tokens = new TokenUsage { Input = 1_000 } };
        var money = new CallMoney(_books.Ledger, hold, row, rates);
        Assert.True(await money.MakeDurableAsync());

        money.NoteProgress(default, default);
        money.NoteProgress(new TokenUsage { Input = prompt, Output = output }, default);
        await _books.Ledger.CheckpointAsync();
        Assert.Equal(charge, _books.Read("SELECT charge_nano FROM hold", reader => reader.GetInt64(0)));
    }

    [Theory]
    [InlineData(null, null, 880)]
    [InlineData("fast", null, 880)]
    [InlineData("standard", null, 440)]
    [InlineData(null, "global", 800)]
    [InlineData("standard", "global", 400)]
    public async Task Until_the_provider_says_how_it_serves_a_call_the_price_of_what_was_asked_for_stands_on_disk(string? speed, string? geo, long charge)
    {
        var account = await _books.NewAccountAsync(1_000_000_000);
        using var hold = _books.Place(account, 10);
        var row = new PriceRow("a", new TokenPrices(0, 0, 0, 0, 0.004m), null, new TokenPrices(0, 0, 0, 0, 0.008m), 0, 1.1m, null, default, "test");
        var rates = new RateCard("a", row, 1m, PriceBook.BuiltIn, default, true);
        var money = new CallMoney(_books.Ledger, hold, Books.RowFor(hold, account, 0), rates, new PriceTerms("us", "fast"));
        Assert.True(await money.MakeDurableAsync());
        money.NoteProgress(new TokenUsage { Output = 100 }, default);

        money.NoteProgress(new TokenUsage { Output = 100 }, new PriceTerms(geo, speed));
        await _books.Ledger.CheckpointAsync();

        var read = _books.Read("SELECT charge_nano, inference_geo, speed FROM hold", reader => (reader.GetInt64(0), reader.GetString(1), reader.GetString(2)));
        Assert.Equal((charge, geo ?? "us", speed ?? "fast"), read);
    }

    [Theory]
    [InlineData("Exact", false)]
    [InlineData("Suspect", true)]
    public async Task Once_the_final_numbers_are_on_disk_a_crash_charges_and_records_what_the_close_out_would_have(string quality, bool isEstimated)
    {
        var account = await _books.NewAccountAsync(1_000_000_000);
        using var hold = _books.Place(account, 10);
        var now = _books.Clock.GetUtcNow();
        await _books.Writes.WriteAsync(database => database.Run("INSERT INTO user (name, account_id, created_at_ms) VALUES ('someone', $1, 0)", account));

        // A tier that the sum of the passes is beyond and none of them is; a dearer model in one, and a dearer one that answered; searches; a batch.
        var rates = new RateCard("claude-haiku-5-5", PriceBook.BuiltIn.Find("claude-haiku-5-5", now)!, 2m, PriceBook.BuiltIn, now, IsFixed: false);
        UsageIteration[] passes = [new(null, new(60_000, 0, 0, 0, 10)), new("claude-opus-5-5", new(50_000, 0, 0, 0, 20))];
        var usage = new MeteredUsage(new(110_000, 0, 0, 0, 30), passes, WebSearches: 3, ServiceTier: "batch", InferenceGeo: "us");
        var reading = new MeterReading(usage, Enum.Parse<ReadingQuality>(quality), "claude-haiku-4-5-20251001", HasStarted: true);
        var money = new CallMoney(_books.Ledger, hold, Books.RowFor(hold, account, 0) with { Rates = rates.ToJson(), Model = rates.Model }, rates, owedFor: last => last.Usage);
        Assert.True(await money.MakeDurableAsync());

        money.NoteProgress(usage.Tokens, usage.Terms);
        money.NoteFinal(reading);
        money.NoteProgress(usage.Tokens, usage.Terms);
        await CheckpointAsync();
        _books.CopyTo(_folder["crashed.db"]);
        await using var after = Books.Open(_folder, name: "crashed.db");

        var charge = rates.Price(usage, reading.AnsweredModel);
        Assert.Equal((1, charge.Amount), after.Recovered);
        using var database = Ccp.Store.Database.OpenReader(after.Path);
        var record = PricedRequest.Find(database, hold.Id.Value)!;
        Assert.Equal((charge.Cost, charge.Amount, charge.PricedAs), (record.Cost, record.Charge, record.PricedAs));
        Assert.Equal(("crash", isEstimated, 3), (record.Reason, record.IsEstimated, record.WebSearches));
        Assert.Equal("claude-haiku-4-5", record.PricedAs);
        Assert.Equal(isEstimated ? "claude-haiku-5-5, estimated (crash)" : "claude-haiku-5-5 (crash)", after.Entries(account)[^1].Note);
        var receipt = Receipt.Find(database, hold.Id.Value, account)!;
        Assert.Equal(ReceiptDetail.Whole, receipt.Detail);
        Assert.Equal(charge.Amount.ToUsd(), receipt.Lines.Sum(line => line.Usd));
        Assert.Equal(["input 1", "output 1", "input 2", "output 2", "web_searches "], receipt.Lines.Where(line => line.Count is not null).Select(line => $"{line.Item} {line.Pass}"));
    }

    [Fact]
    public async Task Content_after_the_final_numbers_makes_them_none_until_others_come()
    {
        var account = await _books.NewAccountAsync(1_000_000_000);
        using var hold = _books.Place(account, 10);
        var row = new PriceRow("a", new TokenPrices(0, 0, 0, 0, 0.004m), null, null, 10, 1, null, default, "test");
        var rates = new RateCard("a", row, 1m, PriceBook.BuiltIn, default, true);
        var money = new CallMoney(_books.Ledger, hold, Books.RowFor(hold, account, 0), rates, owedFor: last => last.Usage);
        Assert.True(await money.MakeDurableAsync());
        async Task<(long Charge, bool IsFinal)> OnDiskAsync()
        {
            await CheckpointAsync();
            return _books.Read("SELECT charge_nano, metered IS NOT NULL FROM hold", reader => (reader.GetInt64(0), reader.GetInt64(1) == 1));
        }

        void Last(long output, long searches) =>
            money.NoteFinal(new MeterReading(MeteredUsage.Of(new TokenUsage { Output = output }) with { WebSearches = searches }, ReadingQuality.Exact, null, HasStarted: true));

        money.NoteProgress(new TokenUsage { Output = 100 }, default);
        Last(output: 100, searches: 1);
        Assert.Equal((400 + 10_000_000, true), await OnDiskAsync());
        money.NoteProgress(new TokenUsage { Output = 120 }, default);
        Assert.Equal((480, false), await OnDiskAsync());
        Last(output: 120, searches: 2);
        Assert.Equal((480 + 20_000_000, true), await OnDiskAsync());
    }

    [Fact]
    public async Task Noting_progress_allocates_nothing_whatever_was_asked_for()
    {
        var account = await _books.NewAccountAsync(1_000_000_000);
        using var hold = _books.Place(account, 10);
        var row = PriceBook.BuiltIn.Find("claude-opus-5-5", DateTimeOffset.UnixEpoch)!;
        var money = new CallMoney(_books.Ledger, hold, null, new RateCard("a", row, 2m, PriceBook.BuiltIn, default, true), new PriceTerms("us", "fast"));
        var reported = new PriceTerms(null, "standard");
        money.NoteProgress(new TokenUsage { Input = 5 }, reported);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var output = 1; output < 1_000; output++)
        {
            money.NoteProgress(new TokenUsage { Input = 5, Output = output }, reported);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>What is on its way to the disk, and what would be next.</summary>
    private async Task CheckpointAsync()
    {
        await _books.Ledger.CheckpointAsync();
        await _books.Writes.WriteAsync(_ => true);
    }
}
