using System.Net;
using Ccp.Pricing;

namespace Ccp.Configuration;

/// <summary>What one user may do, complete: the user's own limits over those of <c>[limits]</c>.</summary>
/// <param name="Concurrent">Model calls in progress at once.</param>
/// <param name="RequestsPerMinute">0: no limit, here and in the next three.</param>
/// <param name="SpendPerDay">In charge dollars, by the UTC calendar.</param>
/// <param name="Models">Patterns; empty: every model.</param>
/// <param name="AllowFrom">Where calls may come from; empty: from anywhere.</param>
/// <param name="Expires">From this moment on the user is shut out; null: never.</param>
internal sealed record UserLimits(
    int Concurrent,
    long RequestsPerMinute,
    long TokensPerMinute,
    NanoUsd SpendPerDay,
    NanoUsd SpendPerMonth,
    IReadOnlyList<string> Models,
    IReadOnlyList<IPNetwork> AllowFrom,
    DateTimeOffset? Expires)
{
    public const int ConcurrentMax = 1_000_000;
    public const long PerMinuteMax = 1_000_000_000;

    /// <summary>What an empty configuration means.</summary>
    public static readonly UserLimits BuiltIn = new(16, 0, 0, NanoUsd.Zero, NanoUsd.Zero, [], [], null);

    public bool AllowsModel(string model)
    {
        foreach (var pattern in Models)
        {
            if (ModelGlob.Matches(pattern, model))
            {
                return true;
            }
        }

        return Models.Count == 0;
    }

    /// <param name="address">IPv4 as such, never mapped into IPv6.</param>
    public bool AllowsAddress(IPAddress address)
    {
        foreach (var range in AllowFrom)
        {
            if (range.Contains(address))
            {
                return true;
            }
        }

        return AllowFrom.Count == 0;
    }
}

/// <summary>Limits as a person stated them for one user. Null: not stated.</summary>
internal sealed record StatedLimits
{
    public static readonly StatedLimits None = new();

    public int? Concurrent { get; init; }

    public long? RequestsPerMinute { get; init; }

    public long? TokensPerMinute { get; init; }

    public NanoUsd? SpendPerDay { get; init; }

    public NanoUsd? SpendPerMonth { get; init; }

    public IReadOnlyList<string>? Models { get; init; }

    public IReadOnlyList<IPNetwork>? AllowFrom { get; init; }

    public DateTimeOffset? Expires { get; init; }

    /// <summary>True when it counts what a user is charged, which is nothing for one who is not.</summary>
    public bool LimitsSpend => SpendPerDay > NanoUsd.Zero || SpendPerMonth > NanoUsd.Zero;

    /// <summary>What is stated here, and for the rest what is stated below.</summary>
    public StatedLimits Over(StatedLimits below) => new()
    {
        Concurrent = Concurrent ?? below.Concurrent,
        RequestsPerMinute = RequestsPerMinute ?? below.RequestsPerMinute,
        TokensPerMinute = TokensPerMinute ?? below.TokensPerMinute,
        SpendPerDay = SpendPerDay ?? below.SpendPerDay,
        SpendPerMonth = SpendPerMonth ?? below.SpendPerMonth,
        Models = Models ?? below.Models,
        AllowFrom = AllowFrom ?? below.AllowFrom,
        Expires = Expires ?? below.Expires,
    };

    public UserLimits Over(UserLimits defaults) => new(
        Concurrent ?? defaults.Concurrent,
        RequestsPerMinute ?? defaults.RequestsPerMinute,
        TokensPerMinute ?? defaults.TokensPerMinute,
        SpendPerDay ?? defaults.SpendPerDay,
        SpendPerMonth ?? defaults.SpendPerMonth,
        Models ?? defaults.Models,
        AllowFrom ?? defaults.AllowFrom,
        Expires ?? defaults.Expires);
}
