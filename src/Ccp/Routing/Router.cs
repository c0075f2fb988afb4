using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Routing;

/// <summary>Decides lane, key and price of a call. A pure function over an immutable configuration: no I/O, no clock but the one passed in.</summary>
internal sealed class Router(CcpConfig config, PriceBook prices)
{
    public const string DefaultReason = "default";

    private readonly LaneConfig _default = config.Lanes[0];
    private readonly Dictionary<string, KeyConfig> _keys = config.Keys.ToDictionary(key => key.Name, StringComparer.Ordinal);

    /// <param name="facts">Null for calls that name no model and cost nothing, such as the list of models.</param>
    /// <param name="isCharged">False for calls that cost nothing whatever the model, such as counting tokens.</param>
    public Decision<LanePlan> Plan(User user, RequestFacts? facts, bool isCharged, DateTimeOffset now)
    {
        var lane = _default;
        var (key, isOwn) = KeyFor(user, lane);
        if (key is null)
        {
            return new Refusal(
                RefusalCode.NoUpstreamKey,
                $"ccp has no API key to call the {lane.Name} lane with for user {user.Name}. Your operator can set the lane's key (DEFAULT_ANTHROPIC_API_KEY), or give you one of your own.");
        }

        if (facts is null || !isCharged)
        {
            return new LanePlan(lane, key, isOwn, DefaultReason, Rates: null);
        }

        var price = PriceChoice.Of(facts.Model, lane, config.Billing, prices, now);
        if (price.Match is not { } match)
        {
            return new Refusal(
                RefusalCode.ModelNotPriced,
                $"The model {price.PricedAs} has no price on this proxy, so it is not served. Choose another model, or ask your operator to add a [[price]] table for it to the configuration.");
        }

        var rates = new RateCard(price.PricedAs, match.Row, user.Markup ?? config.Billing.Markup, prices, now, price.IsFixed);
        return new LanePlan(lane, key, isOwn, DefaultReason, rates);
    }

    private (Secret? Key, bool IsOwn) KeyFor(User user, LaneConfig lane)
    {
        if (user.UpstreamKey is { } own)
        {
            return (own, true);
        }

        // A key that the user was given by name is the one meant; a missing one is not quietly replaced by the team's.
        if (user.KeyName is { } name)
        {
            return _keys.TryGetValue(name, out var named) && named.Lane == lane.Name ? (named.Value, false) : (null, false);
        }

        return (lane.Key, false);
    }
}
