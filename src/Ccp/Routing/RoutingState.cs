using Ccp.Configuration;
using Ccp.Quotas;

namespace Ccp.Routing;

/// <summary>What may change while ccp runs, as it stands when a call is routed. Immutable: a change makes a new one.</summary>
/// <param name="IsPaused">Everything goes to the default lane until the operator says otherwise.</param>
/// <param name="Features">What the license in force grants; empty without one.</param>
/// <param name="PolicyRoutes">Of the signed policy pack; empty without one.</param>
/// <param name="LanesDown">Lanes whose circuit is open, by name; see <see cref="LaneOutage.KeepsOut"/>.</param>
internal sealed record RoutingState(bool IsPaused, IReadOnlySet<string> Features, IReadOnlyList<RouteConfig> PolicyRoutes, IReadOnlyDictionary<string, LaneOutage> LanesDown)
{
    /// <summary>No license, no policy, nothing amiss.</summary>
    public static readonly RoutingState Plain = new(false, new HashSet<string>(), [], new Dictionary<string, LaneOutage>());

    /// <summary>How the quotas of all lanes stand.</summary>
    public IReadOnlyList<QuotaStanding> Quotas { get; init; } = [];
}

/// <summary>Why a call goes where it goes: the words of the decision line.</summary>
internal static class RouteReason
{
    public const string Paused = "failover_paused";
    public const string Override = "manual_override";
    public const string Route = "route";
    public const string Policy = "policy";
    public const string Default = "default";
    public const string LicenseBlock = "license_block";
    public const string NoCredentials = "no_credentials";
    public const string NoPrice = "no_price";
    public const string Safeguards = "safeguards_avoided";
    public const string Dearer = "lane_dearer";
    public const string QuotaBlock = "quota_block";
    public const string QuotaCooldown = "quota_cooldown";
    public const string QuotaPreemptiveWarn = "quota_preemptive_warn";
    public const string QuotaWarnAttempt = "quota_warn_attempt";
    public const string Down = "lane_down";
}
