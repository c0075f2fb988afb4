using Ccp.Forwarding;
using Ccp.Pricing;
using Ccp.Tests.Ledger;
using Ccp.Tests.Store;

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
}
