using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Identity;
using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Routing;

/// <summary>Decides lane, key and price of a call. A pure function over an immutable configuration and state: no I/O, no clock but the one passed in.</summary>
internal sealed class Router(CcpConfig config, PriceBook prices)
{
    private readonly LaneChooser _chooser = new(config);
    private readonly Dictionary<string, KeyConfig> _keys = config.Keys.ToDictionary(key => key.Name, StringComparer.Ordinal);

    /// <param name="facts">Null for calls that name no model and cost nothing, such as the list of models: they go to the default lane.</param>
    /// <param name="isCharged">False for calls that cost nothing whatever the model, such as counting tokens.</param>
    /// <param name="login">The caller's own login to the provider; null when the call brought none.</param>
    public Decision<LanePlan> Plan(User user, RequestFacts? facts, bool isCharged, DateTimeOffset now, RoutingState state, Secret? login = null)
    {
        var call = new Call(user, facts, isCharged, now, state, login);
        var choice = facts is null ? _chooser.ToDefault(RouteReason.Default) : _chooser.Choose(user, facts.Model, state);
        var rejected = new List<RejectedLane>();
        Refusal? refusal = null;
        foreach (var lane in choice.LanesInOrder(_chooser.Default))
        {
            var tried = ReferenceEquals(lane, choice.Lane) && choice.OnlyIfCheaper ? TryIfCheaper(choice, call) : Try(lane, call);
            if (tried.Plan is { } plan)
            {
                return plan with
                {
                    Reason = rejected.Count == 0 ? choice.Reason : rejected[0].Reason,
                    Rejected = rejected,
                    Fallback = ReferenceEquals(lane, choice.Lane) && choice.NamesFallback ? Try(choice.Fallback, call).Plan : null,
                };
            }

            // What passes by itself is told before what somebody would have to put right.
            refusal = refusal is { Wait: not null } ? refusal : tried.Refusal ?? refusal;
            rejected.Add(new RejectedLane(lane.Name, tried.Reason!));
        }

        // The default lane is always asked, and asks for no license: what it lacks is said, or what the last one lacks.
        return refusal!;
    }

    /// <summary>Whether a call may go to a lane, and how it would. The order is that of docs/lanes.md.</summary>
    private Rejection Try(LaneConfig lane, Call call)
    {
        if (lane.Requires is { } feature && !call.State.Features.Contains(feature))
        {
            return new Rejection(RouteReason.LicenseBlock);
        }

        var isPassedOn = lane.Header == LaneHeader.Passthrough;
        var (key, isOwn) = isPassedOn ? (call.Login, true) : KeyFor(call.User, lane);
        if (key is null)
        {
            return isPassedOn ? new Rejection(RouteReason.NoCredentials, LaneRefusals.NoLogin(lane)) : new Rejection(RouteReason.NoCredentials, new Refusal(
                RefusalCode.NoUpstreamKey,
                $"ccp has no API key to call the {lane.Name} lane with for user {call.User.Name}. Your operator can set the lane's key{KeyVariable(lane)}, or give you one of your own."));
        }

        if (lane.AvoidsSafeguards && call.Facts is { HasSafeguards: true } && !IsDefault(lane))
        {
            return new Rejection(RouteReason.Safeguards);
        }

        RateCard? rates = null;
        if (call is { Facts: { } facts, IsCharged: true })
        {
            var price = PriceChoice.Of(facts.Model, lane, config.Billing, prices, call.Now);
            if (price.Match is not { } match)
            {
                return new Rejection(RouteReason.NoPrice, new Refusal(
                    RefusalCode.ModelNotPriced,
                    $"The model {price.PricedAs} has no price on this proxy, so it is not served. Choose another model, or ask your operator to add a [[price]] table for it to the configuration."));
            }

            rates = new RateCard(price.PricedAs, match.Row, call.User.Markup ?? config.Billing.Markup, prices, call.Now, price.IsFixed);
        }

        if (call.State.LanesDown.TryGetValue(lane.Name, out var outage))
        {
            return new Rejection(RouteReason.Down, LaneRefusals.Down(lane, outage));
        }

        return new Rejection(new LanePlan(lane, key, isOwn, RouteReason.Default, rates) { ModelOnLane = call.Facts is null ? null : lane.NameOf(call.Facts.Model) });
    }

    /// <summary>The lane guard: a cheap model's own provider may well be the cheaper one.</summary>
    private Rejection TryIfCheaper(LaneChoice choice, Call call)
    {
        var tried = Try(choice.Lane, call);
        return tried.Plan?.Rates is { } there
            && call.Facts is { } facts
            && Try(choice.Fallback, call).Plan?.Rates is { } here
            && CostForecasts.Of(there, facts).Guess > CostForecasts.Of(here, facts).Guess
            ? new Rejection(RouteReason.Dearer)
            : tried;
    }

    private (Secret? Key, bool IsOwn) KeyFor(User user, LaneConfig lane)
    {
        // A user's own key is one of the default lane's provider; another lane must never see it.
        if (IsDefault(lane) && user.UpstreamKey is { } own)
        {
            return (own, true);
        }

        if (user.KeyName is { } name)
        {
            // A key that the user was given by name is the one meant; a missing one is not quietly replaced by the team's.
            if (!_keys.TryGetValue(name, out var named))
            {
                return (null, false);
            }

            if (named.Lane == lane.Name)
            {
                return (named.Value, false);
            }
        }

        return (lane.Key, false);
    }

    private bool IsDefault(LaneConfig lane) => ReferenceEquals(lane, _chooser.Default);

    private static string KeyVariable(LaneConfig lane) => lane.Name switch
    {
        BuiltInLanes.Anthropic => $" ({BuiltInLanes.AnthropicKeyVariable})",
        BuiltInLanes.Zai => $" ({BuiltInLanes.ZaiKeyVariable})",
        _ => "",
    };

    private readonly record struct Call(User User, RequestFacts? Facts, bool IsCharged, DateTimeOffset Now, RoutingState State, Secret? Login);

    /// <summary>Either a plan, or why there is none: a word for the log and, for what the default lane may lack, a refusal.</summary>
    private readonly record struct Rejection(LanePlan? Plan, string? Reason, Refusal? Refusal)
    {
        public Rejection(LanePlan plan)
            : this(plan, null, null)
        {
        }

        public Rejection(string reason, Refusal? refusal = null)
            : this(null, reason, refusal)
        {
        }
    }
}
