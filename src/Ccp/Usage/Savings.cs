using Ccp.Configuration;
using Ccp.Pricing;
using Ccp.Routing;

namespace Ccp.Usage;

/// <summary>What a request that went to another lane would have cost the operator on the default one: the same tokens, at the price of the moment it was admitted.</summary>
/// <remarks>Before the markup: what the provider asks, on both sides.</remarks>
internal sealed class Savings(CcpConfig config, PriceBook prices)
{
    public string DefaultLane => config.Lanes[0].Name;

    public SavingsFinding Weigh(PricedRequest request)
    {
        if (request.Card is not { } card || request.Basis is not { } basis)
        {
            return new SavingsFinding(SavingsOutcome.WithoutUsage);
        }

        var price = PriceChoice.Of(request.Model, config.Lanes[0], config.Billing, prices, card.AdmittedAt);
        if (price.Match is not { } match)
        {
            return new SavingsFinding(SavingsOutcome.WithoutPrice);
        }

        // There the asked model would have answered, in every pass, and not the one that the other lane has for it.
        var usage = basis.Usage with { Iterations = [.. basis.Usage.Iterations.Select(pass => pass with { Model = null })] };
        var there = new RateCard(price.PricedAs, match.Row, card.Markup, prices, card.AdmittedAt, price.IsFixed).Price(usage, answeredModel: null);
        return new SavingsFinding(SavingsOutcome.Compared, there.Cost);
    }
}

/// <param name="DefaultLaneCost">Zero where it could not be told.</param>
internal readonly record struct SavingsFinding(SavingsOutcome Outcome, NanoUsd DefaultLaneCost = default);

internal enum SavingsOutcome
{
    Compared,

    /// <summary>The default lane has no price for the model.</summary>
    WithoutPrice,

    /// <summary>A record of an older version, which keeps too little to be priced again.</summary>
    WithoutUsage,
}
