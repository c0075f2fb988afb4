using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Identity;
using Ccp.Pricing;
using Ccp.Quotas;
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
        var isFull = false;
        foreach (var lane in choice.LanesInOrder(_chooser.Default))
        {
            var isWanted = ReferenceEquals(lane, choice.Lane);
            if (isFull && !(choice.NamesFallback && ReferenceEquals(lane, choice.Fallback)))
            {
                // Only where the operator says so does a quota that is used up send its calls, and their price, elsewhere.
                break;
            }

            var tried = isWanted && choice.OnlyIfCheaper ? TryIfCheaper(choice, call) : Try(lane, call);
            if (tried.Plan is { } plan)
            {
                plan = plan with { ChosenBy = choice.Reason };
                return isWanted ? GoOrAvoid(plan, choice, call) : plan with { Reason = rejected[0].Reason, Rejected = rejected };
            }

            refusal = Sooner(refusal, tried.Refusal);
            rejected.Add(new RejectedLane(lane.Name, tried.Reason!));
            isFull |= tried.Reason == RouteReason.QuotaBlock;
        }

        // The default lane asks for no license, so somebody has said what is wrong: of all of it, what is over first.
        return refusal!;
    }

    /// <summary>Whether a call that was routed a while ago may go to a lane now: a pause, and the end of a license, count for calls under way too.</summary>
    public bool StillAllows(LaneConfig lane, RoutingState state) => lane.Name == _chooser.Default.Name || (!_chooser.IsPaused(state) && IsLicensed(lane, state));

    private static bool IsLicensed(LaneConfig lane, RoutingState state) => lane.Requires is not { } feature || state.Features.Contains(feature);

    /// <summary>What passes by itself is told before what somebody would have to put right, and of that the lane that is first to be had.</summary>
    private static Refusal? Sooner(Refusal? first, Refusal? next) =>
        first is null || next?.Wait < (first.Wait ?? TimeSpan.MaxValue) ? next : first;

    /// <summary>The wanted lane could take the call; what its quotas advise decides between it and the route's fallback.</summary>
    private LanePlan GoOrAvoid(LanePlan plan, LaneChoice choice, Call call)
    {
        var fallback = choice.NamesFallback ? Try(choice.Fallback, call).Plan : null;
        var advice = QuotasOf(plan.Lane, call).Advice;
        var avoided = advice switch
        {
            QuotaAdvice.CoolingDown => RouteReason.QuotaCooldown,
            QuotaAdvice.Preempted => RouteReason.QuotaPreemptiveWarn,
            _ => null,
        };
        if (avoided is not null && fallback is not null)
        {
            return fallback with { Reason = avoided, ChosenBy = choice.Reason, Rejected = [new RejectedLane(plan.Lane.Name, avoided)] };
        }

        return plan with { Reason = advice is QuotaAdvice.Attempt or QuotaAdvice.Preempted ? RouteReason.QuotaWarnAttempt : choice.Reason, Fallback = fallback };
    }

    /// <summary>What costs nothing uses nothing of a quota.</summary>
    private static QuotaVerdict QuotasOf(LaneConfig lane, Call call) =>
        call is { Facts: { } facts, IsCharged: true } ? QuotaVerdict.Of(call.State.Quotas, lane.Name, facts.Model, call.Now) : default;

    /// <summary>Whether a call may go to a lane, and how it would. The order is that of docs/lanes.md.</summary>
    private Rejection Try(LaneConfig lane, Call call)
    {
        if (!IsLicensed(lane, call.State))
        {
            return new Rejection(RouteReason.LicenseBlock);
        }

        var isPassedOn = lane.Header == LaneHeader.Passthrough;
        var (key, isOwn) = isPassedOn ? (call.Login, true) : KeyFor(call.User, lane);
        if (key is null)
        {
            return isPassedOn ? new Rejection(RouteReason.NoCredentials, LaneRefusals.NoLogin(lane, needsToken: !config.Auth.IsLocal)) : new Rejection(RouteReason.NoCredentials, new Refusal(
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

        if (QuotasOf(lane, call) is { Full: { } full })
        {
            return new Rejection(RouteReason.QuotaBlock, QuotaRefusals.Of(full, call.Now));
        }

        if (call.State.LanesDown.TryGetValue(lane.Name, out var outage) && outage.KeepsOut(mayProbe: call.IsCharged))
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
