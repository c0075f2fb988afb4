using Ccp.Configuration;
using Ccp.Pricing;

namespace Ccp.Routing;

/// <summary>Which row prices a model on a lane, and why.</summary>
/// <param name="PricedAs">The model whose row is looked for: the asked one as the lane calls it, or the one that stands for it.</param>
/// <param name="Match">Null: nobody has said what it costs, so the call is refused.</param>
internal readonly record struct PriceChoice(string PricedAs, PriceStandIn StandIn, PriceMatch? Match)
{
    /// <summary>Whether the row holds whichever model answers.</summary>
    public bool IsFixed => StandIn != PriceStandIn.None;

    public static PriceChoice Of(string model, LaneConfig lane, BillingConfig billing, PriceBook prices, DateTimeOffset at) =>
        OfCalled(lane.NameOf(model), lane, billing, prices, at);

    /// <param name="called">The model as the lane calls it, or called it when it was asked.</param>
    public static PriceChoice OfCalled(string called, LaneConfig lane, BillingConfig billing, PriceBook prices, DateTimeOffset at)
    {
        var asked = lane.PriceAs ?? called;
        var match = prices.Match(asked, at);
        return match is null && billing.UnknownModelPricedAs is { } substitute
            ? new PriceChoice(substitute, PriceStandIn.UnknownModel, prices.Match(substitute, at))
            : new PriceChoice(asked, lane.PriceAs is null ? PriceStandIn.None : PriceStandIn.PriceAs, match);
    }
}

/// <summary>The setting by which another model's price stands for the asked one's.</summary>
internal enum PriceStandIn
{
    None,

    /// <summary><c>price_as</c> of the lane.</summary>
    PriceAs,

    /// <summary><c>billing.unknown_model</c>: the asked one has no price.</summary>
    UnknownModel,
}
