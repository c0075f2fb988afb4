using Ccp.Configuration;
using Ccp.Quotas;

namespace Ccp.Routing;

/// <summary>The routing state of the moment: the same object as long as nothing has changed.</summary>
/// <param name="grants">Whether the license in force grants a feature at a time.</param>
/// <param name="circuits">Which lanes are down.</param>
/// <param name="quotas">How the quotas stand at a time.</param>
internal sealed class RoutingStates(CcpConfig config, Func<string, DateTimeOffset, bool> grants, LaneCircuits circuits, Func<DateTimeOffset, IReadOnlyList<QuotaStanding>> quotas)
{
    private readonly Lock _change = new();

    /// <summary>What the lanes ask for, each once.</summary>
    private volatile string[] _features = FeaturesOf(config);

    private volatile RoutingState _newest = RoutingState.Plain;

    public RoutingState At(DateTimeOffset now)
    {
        // What is down, and what quotas have left, changes with every call: kept by nobody.
        var standing = StandingAt(now);
        standing = circuits.Down is { Count: > 0 } down ? standing with { LanesDown = down } : standing;
        return quotas(now) is { Count: > 0 } watched ? standing with { Quotas = watched } : standing;
    }

    /// <summary>What the operator or a policy changes counts from the next call on.</summary>
    public RoutingState Change(Func<RoutingState, RoutingState> change)
    {
        lock (_change)
        {
            return _newest = change(_newest);
        }
    }

    /// <summary>Other lanes may ask for other features.</summary>
    public void Follow(CcpConfig config) => _features = FeaturesOf(config);

    private RoutingState StandingAt(DateTimeOffset now)
    {
        var newest = _newest;
        foreach (var feature in _features)
        {
            if (grants(feature, now) != newest.Features.Contains(feature))
            {
                return Change(state => state with { Features = _features.Where(each => grants(each, now)).ToHashSet(StringComparer.Ordinal) });
            }
        }

        return newest;
    }

    private static string[] FeaturesOf(CcpConfig config) => [.. config.Lanes.Select(lane => lane.Requires).OfType<string>().Distinct(StringComparer.Ordinal)];
}
