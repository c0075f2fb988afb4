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

        money.NoteProgress(default);
        money.NoteProgress(new TokenUsage { Input = prompt, Output = output });
        await _books.Ledger.CheckpointAsync();
        Assert.Equal(charge, _books.Read("SELECT charge_nano FROM hold", reader => reader.GetInt64(0)));
    }
}
