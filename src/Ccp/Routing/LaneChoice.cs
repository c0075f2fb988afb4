using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Identity;
using Ccp.Pricing;

namespace Ccp.Routing;

/// <summary>Which lane is wanted for a call, before it is asked whether the call may go there.</summary>
/// <param name="Fallback">The lane to take when it may not; the default lane when no other was named.</param>
/// <param name="NamesFallback">True when the operator named it: then it may also be tried after the lane has failed.</param>
/// <param name="Reason">One of <see cref="RouteReason"/>.</param>
internal sealed record LaneChoice(LaneConfig Lane, LaneConfig Fallback, bool NamesFallback, bool OnlyIfCheaper, string Reason)
{
    /// <summary>The wanted lane, its fallback, the default one: each once.</summary>
    public IEnumerable<LaneConfig> LanesInOrder(LaneConfig standard)
    {
        yield return Lane;
        if (!ReferenceEquals(Fallback, Lane))
        {
            yield return Fallback;
        }

        if (!ReferenceEquals(standard, Lane) && !ReferenceEquals(standard, Fallback))
        {
            yield return standard;
        }
    }
}

/// <summary>Finds the wanted lane: the switch, the user's own, the file's routes, the policy pack's, the built-in one, in this order.</summary>
internal sealed class LaneChooser
{
    private readonly Dictionary<string, LaneConfig> _lanes;
    private readonly LaneConfig _default;
    private readonly RoutingConfig _routing;
    private readonly bool _hasZaiKey;

    public LaneChooser(CcpConfig config)
    {
        _lanes = config.Lanes.ToDictionary(lane => lane.Name, StringComparer.Ordinal);
        _default = config.Lanes[0];
        _routing = config.Routing;
        _hasZaiKey = _lanes[BuiltInLanes.Zai].Key is not null;
    }

    public LaneConfig Default => _default;

    public LaneChoice Choose(User user, string model, RoutingState state)
    {
        if (IsPaused(state))
        {
            return ToDefault(RouteReason.Paused);
        }

        if (user.LaneOverride is { } name && _lanes.TryGetValue(name, out var own))
        {
            return new LaneChoice(own, _default, NamesFallback: false, OnlyIfCheaper: false, RouteReason.Override);
        }

        return (_routing.ForcesHaikuToZai == true ? ByRoute([BuiltInLanes.ForcedHaikuRoute], model, RouteReason.Override) : null)
            ?? ByRoute(_routing.Routes, model, RouteReason.Route)
            ?? ByRoute(state.PolicyRoutes, model, RouteReason.Policy)
            ?? (_hasZaiKey ? ByRoute([BuiltInLanes.HaikuRoute], model, RouteReason.Default) : null)
            ?? ToDefault(RouteReason.Default);
    }

    public bool IsPaused(RoutingState state) => _routing.IsPaused || state.IsPaused;

    public LaneChoice ToDefault(string reason) => new(_default, _default, NamesFallback: false, OnlyIfCheaper: false, reason);

    private LaneChoice? ByRoute(IReadOnlyList<RouteConfig> routes, string model, string reason)
    {
        foreach (var route in routes)
        {
            if (!IsLeftOut(route.Lane) && ModelGlob.Matches(route.Pattern, model) && _lanes.TryGetValue(route.Lane, out var lane))
            {
                var named = IsLeftOut(route.Fallback) ? null : route.Fallback;
                var fallback = named is not null && _lanes.TryGetValue(named, out var other) ? other : _default;
                return new LaneChoice(lane, fallback, named is not null, route.OnlyIfCheaper, reason);
            }
        }

        return null;
    }

    private bool IsLeftOut(string? lane) => _routing.ForcesHaikuToZai == false && lane == BuiltInLanes.Zai;
}
