using Ccp.Configuration;

namespace Ccp.Quotas;

/// <summary>How a quota stands at one moment. Immutable.</summary>
/// <param name="Rolling">Null when the rolling window has no cap.</param>
/// <param name="Weekly">Null when the week has no cap.</param>
/// <param name="CooldownUntil">The lane itself has said 429; null when it is not to be avoided for that.</param>
/// <param name="InFlight">Calls in progress that count here.</param>
internal sealed record QuotaStanding(QuotaConfig Quota, WindowStanding? Rolling, WindowStanding? Weekly, WarnThreshold Warning, DateTimeOffset? CooldownUntil, int InFlight = 0)
{
    /// <summary>Used of its cap, in the window that is nearer to it.</summary>
    public decimal Share => Math.Max(Rolling?.Share ?? 0, Weekly?.Share ?? 0);

    public bool IsFull => Rolling is { IsFull: true } || Weekly is { IsFull: true };

    public bool IsWarned => Share >= Warning.At;

    /// <summary>When both windows have room again; null when they have.</summary>
    public DateTimeOffset? FreesAt => (Rolling?.FreesAt, Weekly?.FreesAt) switch
    {
        ({ } one, { } other) => one > other ? one : other,
        var (one, other) => one ?? other,
    };
}

/// <param name="FreesAt">Null while there is room.</param>
internal sealed record WindowStanding(TimeSpan Length, long Used, long Cap, DateTimeOffset? FreesAt)
{
    public bool IsFull => Used >= Cap;

    public decimal Share => (decimal)Used / Cap;
}
