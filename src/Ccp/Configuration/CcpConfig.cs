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
    IReadOnlyList<LaneConfig> Lanes,
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
internal sealed record AuthConfig(int FailedAttemptsPerMinute);

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
/// <param name="PriceAs">The priced model this lane charges as; null: the asked one.</param>
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
    string? PriceAs);

/// <summary>The header that carries a lane's key.</summary>
internal enum LaneHeader
{
    ApiKey,
    Authorization,
}

/// <summary>A named upstream key, for users to refer to.</summary>
internal sealed record KeyConfig(string Name, string Lane, Secret Value);

/// <summary>A user kept in the file. Null means: not stated here; the store, else the default, decides.</summary>
/// <param name="TokenSha256">Lower-case hex; null when the token is not stated in the file.</param>
/// <param name="Key">The name of a <see cref="KeyConfig"/>.</param>
internal sealed record UserConfig(string Name, string? TokenSha256, bool? IsAdmin, string? Key, bool? IsBilled, decimal? Markup)
{
    public StatedLimits Limits { get; init; } = StatedLimits.None;
}
