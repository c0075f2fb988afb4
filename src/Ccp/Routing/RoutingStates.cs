using Ccp.Configuration;
using Ccp.Quotas;

namespace Ccp.Routing;

/// <summary>The routing state of the moment: the same object as long as nothing has changed.</summary>
/// <param name="grants">Whether the license in force grants a feature at a time.</param>
/// <param name="circuits">Which lanes are down.</param>
/// <param name="quotas">How the quotas stand at a time; they change with every call, and with them the state.</param>
internal sealed class RoutingStates(CcpConfig config, Func<string, DateTimeOffset, bool> grants, LaneCircuits circuits, Func<DateTimeOffset, IReadOnlyList<QuotaStanding>> quotas)
{
    /// <summary>What the lanes ask for, each once.</summary>
    private readonly string[] _features = [.. config.Lanes.Select(lane => lane.Requires).OfType<string>().Distinct(StringComparer.Ordinal)];

    private volatile RoutingState _newest = RoutingState.Plain;

    public RoutingState At(DateTimeOffset now) => quotas(now) is { Count: > 0 } watched ? Standing(now) with { Quotas = watched } : Standing(now);

    private RoutingState Standing(DateTimeOffset now)
    {
        var standing = StandingAt(now);

        // What is down changes by the moment: kept by nobody.
        return circuits.Down is { Count: > 0 } down ? standing with { LanesDown = down } : standing;
    }

    private RoutingState StandingAt(DateTimeOffset now)
    {
        var newest = _newest;
        foreach (var feature in _features)
        {
            if (grants(feature, now) != newest.Features.Contains(feature))
            {
                var granted = _features.Where(each => grants(each, now)).ToHashSet(StringComparer.Ordinal);
                return _newest = newest with { Features = granted };
            }
        }

        return newest;
    }
}
