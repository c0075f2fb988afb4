using Ccp.Configuration;

namespace Ccp.Identity;

/// <summary>Someone who may call, as the store and the file together describe them. Immutable: a change makes a new one.</summary>
/// <param name="AccountId">Where the money is. It outlives the name.</param>
/// <param name="Token">Null: no token yet; nobody can call as this user.</param>
/// <param name="IsBilled">False: metered and logged, never held or charged.</param>
/// <param name="Markup">Null: the one of <c>[billing]</c>.</param>
/// <param name="KeyName">A named key of the configuration; null: the own key, else the lane's.</param>
/// <param name="UpstreamKey">The user's own key for the default lane, decrypted.</param>
/// <param name="LaneOverride">The lane that all of the user's calls go to; null: the routes decide.</param>
internal sealed record User(
    long Id,
    string Name,
    long AccountId,
    TokenHash? Token,
    bool IsAdmin,
    bool IsDisabled,
    bool IsBilled,
    decimal? Markup,
    string? KeyName,
    Secret? UpstreamKey,
    string? LaneOverride,
    bool IsFromFile,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastSeenAt)
{
    /// <summary>What the store alone states.</summary>
    public StatedLimits StoredLimits { get; init; } = StatedLimits.None;

    /// <summary>What the file and the store state for this user; the rest comes from <c>[limits]</c>.</summary>
    public StatedLimits OwnLimits { get; init; } = StatedLimits.None;

    /// <summary>What holds for this user, all told.</summary>
    public UserLimits Limits { get; init; } = UserLimits.BuiltIn;

    /// <summary>Operators are never held or charged: they must be able to work on an empty till.</summary>
    public bool IsCharged => IsBilled && !IsAdmin;
}
