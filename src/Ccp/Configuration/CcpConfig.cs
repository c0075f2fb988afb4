using System.Net;
using Ccp.Pricing;
using Microsoft.Extensions.Logging;

namespace Ccp.Configuration;

/// <summary>The whole configuration, checked and immutable. What the keys mean is written in <c>config.example.toml</c>.</summary>
internal sealed record CcpConfig(
    ServerConfig Server,
    AuthConfig Auth,
    BillingConfig Billing,
    UserLimits Limits,
    StorageConfig Storage,
    LogsConfig Logs,
    LicenseConfig License,
    PolicyConfig Policy,
    IReadOnlyList<LaneConfig> Lanes,
    RoutingConfig Routing,
    IReadOnlyList<QuotaConfig> Quotas,
    IReadOnlyList<KeyConfig> Keys,
    IReadOnlyList<UserConfig> Users,
    IReadOnlyList<PriceRow> Prices);

/// <param name="TrustedProxies">Whose x-forwarded-for is believed.</param>
/// <param name="UpstreamProxy">Null: HTTPS_PROXY and NO_PROXY of the environment are honoured.</param>
/// <param name="CaFile">Extra trusted roots (PEM) for upstream TLS.</param>
internal sealed record ServerConfig(
    IReadOnlyList<ListenAddress> Listen,
    string? TlsCertificatePath,
    string? TlsKeyPath,
    bool AllowsInsecureHttp,
    IReadOnlyList<IPNetwork> TrustedProxies,
    long BodyBytesMax,
    TimeSpan Drain,
    Uri? UpstreamProxy,
    string? CaFile);

/// <param name="FailedAttemptsPerMinute">Calls without a valid token from one address, before it is told to wait; 0: no limit.</param>
/// <param name="IsLocal">True: <c>mode = "local"</c>, where a call without a token is <see cref="LocalUser"/>'s.</param>
internal sealed record AuthConfig(int FailedAttemptsPerMinute, bool IsLocal = false)
{
    /// <summary>The one user of local mode: never an admin, never charged.</summary>
    public const string LocalUser = "local";

    /// <summary>For operators, wherever they look.</summary>
    public const string LocalMeans = $"whoever reaches ccp from its own host may call without a token, as the user {LocalUser}, who is not charged";
}

/// <param name="Markup">Factor on the upstream's cost.</param>
/// <param name="WarnBelow">A balance under this shows a warning.</param>
/// <param name="Overdraft">How far below zero running streams may take an account before they are ended.</param>
/// <param name="UnknownModelPricedAs">Null: a model without a price is refused.</param>
internal sealed record BillingConfig(decimal Markup, NanoUsd MinimumTopUp, NanoUsd WarnBelow, NanoUsd Overdraft, string? UnknownModelPricedAs);

/// <param name="Path">Relative to the data directory, or absolute.</param>
/// <param name="SyncsEveryCommit">True: <c>durability = "full"</c>; false: <c>"normal"</c>.</param>
/// <param name="RequestRecordsKept">Age at which request records are deleted. Ledger entries are kept for ever.</param>
internal sealed record StorageConfig(string Path, bool SyncsEveryCommit, TimeSpan RequestRecordsKept);

/// <param name="Directory">Relative to the data directory, or absolute.</param>
internal sealed record LogsConfig(string Directory, long FileBytesMax, TimeSpan FileAgeMax, int FilesMax, LogLevel Level, LogFormat Format);

/// <param name="Path">Of the pack. Relative to the data directory, or absolute.</param>
internal sealed record LicenseConfig(string Path);

/// <param name="Source">An address (https, or http on this host) or a file's path, relative to the data directory or absolute; null: there is no policy.</param>
/// <param name="PublicKeys">Ed25519, 32 bytes each.</param>
/// <param name="Refresh">How often it is fetched.</param>
internal sealed record PolicyConfig(string? Source, IReadOnlyList<byte[]> PublicKeys, TimeSpan Refresh);

internal enum LogFormat
{
    Text,
    Json,
}

/// <summary>An upstream that speaks the Anthropic Messages API.</summary>
/// <param name="Key">Used when the user has no key of their own; null when nothing is set.</param>
/// <param name="ForwardHeaders">Request headers that cross beside the standing list, lower case.</param>
/// <param name="FirstByteTimeout">For streams: request sent to response head.</param>
/// <param name="ResponseTimeout">For non-streaming calls: request sent to response head.</param>
/// <param name="IdleTimeout">Longest silence inside an answer.</param>
/// <param name="PingAfter">A stream silent this long gets ccp's own ping event.</param>
/// <param name="PriceAs">The priced model this lane charges as; null: the mapped model, else the asked one.</param>
/// <param name="Requires">The license feature without which nothing is sent to this lane; null: none.</param>
/// <param name="ModelMap">Models that have another name on this lane, in the order written: the first pattern that fits counts.</param>
/// <param name="StripsBillingHeader">True: <c>strip = ["system.billing_header"]</c>.</param>
/// <param name="AvoidsSafeguards">True: requests that carry a safety check are not sent to this lane, unless it is the default one.</param>
internal sealed record LaneConfig(
    string Name,
    Uri BaseUrl,
    Secret? Key,
    LaneHeader Header,
    bool UsesHttp2,
    IReadOnlyList<string> ForwardHeaders,
    TimeSpan ConnectTimeout,
    TimeSpan FirstByteTimeout,
    TimeSpan ResponseTimeout,
    TimeSpan IdleTimeout,
    TimeSpan PingAfter,
    string? PriceAs,
    string? Requires,
    IReadOnlyList<MappedModel> ModelMap,
    bool StripsBillingHeader,
    bool AvoidsSafeguards)
{
    /// <summary>The name that the model has on this lane.</summary>
    public string NameOf(string model)
    {
        foreach (var (pattern, name) in ModelMap)
        {
            if (ModelGlob.Matches(pattern, model))
            {
                return name;
            }
        }

        return model;
    }
}

/// <param name="Pattern">Of models as they are asked for; <c>*</c> stands for any run of characters.</param>
internal sealed record MappedModel(string Pattern, string Name);

/// <param name="Routes">Of the file, in its order.</param>
/// <param name="IsPaused">Everything goes to the default lane.</param>
/// <param name="ForcesHaikuToZai">True: every haiku goes there before any route is asked; false: no route leads there, by its lane or its fallback; null: the routes decide.</param>
internal sealed record RoutingConfig(IReadOnlyList<RouteConfig> Routes, bool IsPaused, bool? ForcesHaikuToZai)
{
    /// <summary>True when <c>OFFLOAD_PAUSED</c> pauses, whatever the file says.</summary>
    public bool IsPausedByVariable { get; init; }
}

/// <summary>Which lane a model goes to.</summary>
/// <param name="Pattern">Of models; <c>*</c> stands for any run of characters.</param>
/// <param name="Fallback">
/// Where it goes when it cannot go there, or has failed there before the first byte. Null: the default lane when it cannot go there, unless a quota
/// is used up, and nowhere once it has failed.
/// </param>
/// <param name="OnlyIfCheaper">Stay on the fallback when the prompt would cost more on the lane.</param>
internal sealed record RouteConfig(string Pattern, string Lane, string? Fallback, bool OnlyIfCheaper);

/// <summary>How many tokens some models may use of a lane, before its provider would cut it off.</summary>
/// <param name="Pattern">Of models as they are asked for; <c>*</c> stands for any run of characters.</param>
/// <param name="Rolling">How long the rolling window is.</param>
/// <param name="RollingTokens">In the rolling window; 0: no cap.</param>
/// <param name="WeeklyTokens">In any seven days; 0: no cap.</param>
/// <param name="WarnAt">The share of a cap from which a warning stands; null: learned.</param>
/// <param name="Cooldown">How long the lane is avoided after a 429 that does not say.</param>
internal sealed record QuotaConfig(string Pattern, string Lane, TimeSpan Rolling, long RollingTokens, long WeeklyTokens, decimal? WarnAt, QuotaReroute Reroute, TimeSpan Cooldown)
{
    public static readonly TimeSpan Week = TimeSpan.FromDays(7);

    /// <summary>The longest window that something is counted in: so long its request records must be kept.</summary>
    public TimeSpan Longest => new[] { RollingTokens > 0 ? Rolling : TimeSpan.Zero, WeeklyTokens > 0 ? Week : TimeSpan.Zero }.Max();
}

/// <summary>When another lane is taken before a quota is used up.</summary>
internal enum QuotaReroute
{
    /// <summary>Once the lane itself has said 429, for a while.</summary>
    Hybrid,

    /// <summary>Never.</summary>
    RunToCap,

    /// <summary>From the warning on.</summary>
    Preemptive,
}

/// <summary>The header that carries a lane's key.</summary>
internal enum LaneHeader
{
    ApiKey,
    Authorization,

    /// <summary>One of the two: the other is tried once when one is refused, and what works is remembered.</summary>
    Auto,

    /// <summary>No key of ccp's: the caller's own <c>authorization</c>, as it came.</summary>
    Passthrough,
}

/// <summary>A named upstream key, for users to refer to.</summary>
internal sealed record KeyConfig(string Name, string Lane, Secret Value);

/// <summary>A user kept in the file. Null means: not stated here; the store, else the default, decides.</summary>
/// <param name="TokenSha256">Lower-case hex; null when the token is not stated in the file.</param>
/// <param name="Key">The name of a <see cref="KeyConfig"/>.</param>
/// <param name="LaneOverride">The lane that all of this user's calls go to, whatever the routes say.</param>
internal sealed record UserConfig(string Name, string? TokenSha256, bool? IsAdmin, string? Key, bool? IsBilled, decimal? Markup, string? LaneOverride = null)
{
    public StatedLimits Limits { get; init; } = StatedLimits.None;
}
