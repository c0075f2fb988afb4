using Ccp.Configuration;
using Ccp.Configuration.Sections;

namespace Ccp.Admin;

/// <summary>Whose key, or whose login, calls are sent to a lane with.</summary>
internal enum LaneAccess
{
    /// <summary>There is none: nothing can be sent there.</summary>
    Nobody,

    /// <summary>Those who have a key of their own for it, or one by name.</summary>
    KeyHolders,

    /// <summary>Those who log in to its provider themselves.</summary>
    Subscribers,

    /// <summary>The lane has a key for all.</summary>
    Everybody,
}

/// <summary>Which lanes can be used at all, and by whom.</summary>
internal sealed class UsableLanes(Till till, Switchboard board)
{
    public IReadOnlyList<LaneConfig> Configured => board.Config.Now.Lanes;

    /// <summary>Those to which calls can go: somebody has a key or a login for them, and the license allows them.</summary>
    public IEnumerable<LaneConfig> All => Configured.Where(lane => AccessTo(lane) != LaneAccess.Nobody && IsLicensed(lane));

    public LaneAccess AccessTo(LaneConfig lane) => lane switch
    {
        { Header: LaneHeader.Passthrough } => LaneAccess.Subscribers,
        { Key: not null } => LaneAccess.Everybody,
        _ when board.Config.Now.Keys.Any(key => key.Lane == lane.Name) => LaneAccess.KeyHolders,

        // A user's own key, without a name, is one of the default lane's provider.
        { Name: BuiltInLanes.Anthropic } when till.Users.All.Any(user => user.UpstreamKey is not null) => LaneAccess.KeyHolders,
        _ => LaneAccess.Nobody,
    };

    public bool IsLicensed(LaneConfig lane) => lane.Requires is not { } feature || board.License.Grants(feature, till.Time.GetUtcNow());
}
