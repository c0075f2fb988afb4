using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Routing;
using Ccp.Usage;

namespace Ccp.Tests.Shared;

/// <summary>A call that was served, priced and written down as the close-out writes it.</summary>
internal sealed record ServedCall(string User, string Id, MeteredUsage Usage)
{
    public string Model { get; init; } = "claude-sonnet-4-5";

    public string? AnsweredModel { get; init; }

    /// <summary>The number of the lane in the configuration in force; 0 is the default one.</summary>
    public int Lane { get; init; }

    public string Reason { get; init; } = "streaming";

    public bool IsEstimated { get; init; }

    /// <summary>Null: as a ccp before decisions were kept wrote it.</summary>
    public LaneDecision? Decision { get; init; }

    /// <summary>False: as a ccp before receipts wrote it.</summary>
    public bool KeepsUsage { get; init; } = true;

    /// <returns>What it was charged; zero for a user who is not.</returns>
    public async Task<NanoUsd> WriteAsync(TillUnderTest books)
    {
        var till = books.Till;
        var user = books.User(User);
        var now = books.Clock.GetUtcNow();
        var lane = books.Board.Config.Now.Lanes[Lane];
        var choice = PriceChoice.Of(Model, lane, till.Config.Billing, till.Prices, now);
        var card = new RateCard(choice.PricedAs, choice.Match!.Value.Row, user.Markup ?? till.Config.Billing.Markup, till.Prices, now, choice.IsFixed);
        var charge = card.Price(Usage, AnsweredModel);
        var amount = user.IsCharged ? charge.Amount : NanoUsd.Zero;
        var record = new RequestRecord(
            Id,
            now,
            user.AccountId,
            user.Id,
            Model,
            AnsweredModel,
            charge.PricedAs,
            lane.Name,
            200,
            Reason,
            IsStream: true,
            IsEstimated,
            Usage.Tokens,
            Usage.WebSearches,
            charge.Cost,
            amount,
            Session: null,
            Agent: null,
            UpstreamRequestId: null,
            TimeSpan.FromSeconds(1),
            TimeSpan.FromMilliseconds(100),
            card.ToJson(),
            KeepsUsage ? ReceiptBasis.Of(card, Usage, AnsweredModel).ToJson(card) : null,
            Decision);
        await till.Writes.WriteAsync(database =>
        {
            if (user.IsCharged)
            {
                till.Ledger.Post(database, user.AccountId, EntryKind.Charge, -amount, Id, "ccp", Model);
            }

            record.Insert(database);
            return true;
        });
        till.Ledger.Count(user.AccountId, -amount);
        return amount;
    }
}
