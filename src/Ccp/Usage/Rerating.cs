using Ccp.Configuration;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Routing;
using Ccp.Store;

namespace Ccp.Usage;

/// <summary>Prices recorded requests once more: with the price book and the lanes' prices of now, as of the moment each was admitted, as the model it was called by then, at the markup it was admitted with.</summary>
/// <remarks>The markup stays because it was the user's agreement at that time; a rerate corrects prices.</remarks>
internal sealed class Rerating(CcpConfig config, PriceBook prices)
{
    /// <summary>What <paramref name="request"/> has taken by now and what it should have. Reads the ledger; writes nothing.</summary>
    public RerateFinding Weigh(Database database, PricedRequest request)
    {
        var entries = RequestEntries.Of(database, request.Id, request.AccountId);
        return entries.Charge is null ? new RerateFinding(RerateOutcome.NotCharged)
            : entries.Refund is not null ? new RerateFinding(RerateOutcome.Refunded)
            : request.Card is not { } card || request.Basis is not { } basis ? new RerateFinding(RerateOutcome.WithoutUsage)
            : AmountNow(request, card, basis) is { } amount ? new RerateFinding(entries.Taken == amount ? RerateOutcome.Right : RerateOutcome.Corrected, entries.Taken, amount)
            : new RerateFinding(RerateOutcome.WithoutPrice);
    }

    /// <summary>The same, and posts the difference, on the writer's thread. Repeating it posts nothing more.</summary>
    public RerateFinding Correct(Database database, AccountLedger ledger, PricedRequest request, string run, string actor)
    {
        var found = Weigh(database, request);
        if (found.Outcome != RerateOutcome.Corrected)
        {
            return found;
        }

        var note = $"{request.Model}: {found.Taken} USD becomes {found.WouldBe} USD";
        var posted = ledger.Post(database, request.AccountId, EntryKind.Adjustment, found.Taken - found.WouldBe, RerateReference.Of(run, request.Id), actor, note);

        // The same run has corrected this request to another amount: its prices were changed since. One run corrects a request once.
        return posted == PostResult.Posted ? found : found with { Outcome = RerateOutcome.InConflict };
    }

    private NanoUsd? AmountNow(PricedRequest request, RateCard card, ReceiptBasis basis)
    {
        if (config.Lanes.FirstOrDefault(lane => lane.Name == request.Lane) is not { } lane)
        {
            return null;
        }

        // By what it was called on its lane then: a map that was changed since names a model that never answered. Where another model's price stood in, the card does not say it.
        var called = card.IsFixed ? lane.NameOf(request.Model) : card.Model;
        var price = PriceChoice.OfCalled(called, lane, config.Billing, prices, card.AdmittedAt);
        return price.Match is { } match
            ? new RateCard(price.PricedAs, match.Row, card.Markup, prices, card.AdmittedAt, price.IsFixed).Price(basis.Usage, request.AnsweredModel).Amount
            : null;
    }
}

/// <param name="Taken">What the request has taken so far, with earlier reratings.</param>
internal readonly record struct RerateFinding(RerateOutcome Outcome, NanoUsd Taken = default, NanoUsd WouldBe = default);

internal enum RerateOutcome
{
    /// <summary>The price of now comes to what was taken.</summary>
    Right,
    Corrected,

    /// <summary>Given back already: what it costs is settled.</summary>
    Refunded,

    /// <summary>A user who is metered only.</summary>
    NotCharged,

    /// <summary>A record of an older version, which keeps too little to be priced again.</summary>
    WithoutUsage,

    /// <summary>The price book of now has no price for it.</summary>
    WithoutPrice,

    /// <summary>The same run has posted another difference for it already.</summary>
    InConflict,
}
