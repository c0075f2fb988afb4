using System.Text.Json.Serialization;
using Ccp.Pricing;

namespace Ccp.Admin;

/// <param name="MinimumPayment">Dollars.</param>
internal sealed record ErrorView(string Error, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] NanoUsd? MinimumPayment = null);

internal sealed record StatusView(string Status, string Version);

/// <param name="Store">"ok", or what is wrong and what to do.</param>
/// <param name="Unwritten">How many settlements and other writes that must happen wait for the store.</param>
/// <param name="StoreWarning">What wants to be looked at though the store works.</param>
/// <param name="License">The edition; ccp is as ready without a license as with one.</param>
/// <param name="Lanes">Those with a key, and what they last answered; ccp is as ready while one does not.</param>
/// <param name="Circuits">How each lane is, by what its calls came to. ccp is ready though one is down: others may work.</param>
/// <param name="Policy">The policy pack in force, or why there is none.</param>
/// <param name="Configuration">Why the file as it is now is not what ccp works with.</param>
internal sealed record ReadyView(
    bool Ready,
    string Store,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Unwritten = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? StoreWarning = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? License = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string>? Lanes = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string>? Circuits = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Policy = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Configuration = null);

internal sealed record TokenView(
    bool Valid,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Username = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? IsAdmin = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] NanoUsd? Balance = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null);

/// <summary>A user as the list shows it. No key and no hash of a token ever stands here.</summary>
/// <param name="Limits">The user's own.</param>
/// <param name="LimitsInForce">Those, and for the rest what <c>[limits]</c> says.</param>
internal sealed record UserView(
    bool IsAdmin,
    bool Disabled,
    bool HasApiKey,
    UserTotalsView Usage,
    LimitsView Limits,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastSeenAt,
    bool HasToken,
    bool Billing,
    decimal? Markup,
    bool FromFile,
    LimitsView LimitsInForce);

internal sealed record UserTotalsView(long Requests, long Tokens, NanoUsd Balance);

/// <param name="Token">Shown this once.</param>
internal sealed record UserChangeView(
    string Username,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Token,
    NanoUsd CurrentBalance,
    string Message);

internal sealed record BalanceView(string Username, NanoUsd Balance, bool LowBalanceWarning, NanoUsd Available, NanoUsd Held);

internal sealed record BalanceChangeView(string Username, NanoUsd PreviousBalance, NanoUsd CurrentBalance, string Message);

internal sealed record OwnUsageView(string Username, long Days, IReadOnlyList<OwnUsageLineView> Usage);

internal sealed record OwnUsageLineView(
    string Day,
    string Model,
    long Requests,
    long InputTokens,
    long OutputTokens,
    long CacheReadTokens,
    long CacheWriteTokens,
    long TotalTokens,
    NanoUsd CostDollars);

internal sealed record UserUsageView(
    long Requests,
    long InputTokens,
    long OutputTokens,
    long CacheReadTokens,
    long CacheWriteTokens,
    long TotalTokens,
    NanoUsd CostDollars,
    NanoUsd UpstreamCostDollars,
    NanoUsd CurrentBalance,
    bool Deleted);

/// <summary>One group of a usage report; it carries the one of the first four members that it was grouped by.</summary>
internal sealed record UsageGroupView(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Day,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Model,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? User,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Session,
    long Requests,
    long InputTokens,
    long OutputTokens,
    long CacheReadTokens,
    long CacheWriteTokens,
    long TotalTokens,
    NanoUsd CostDollars,
    NanoUsd UpstreamCostDollars);

/// <param name="MasterKeyPath">The file that the backup is of no use without; null when the key comes from the environment.</param>
internal sealed record BackupView(
    string Path,
    long Bytes,
    long Entries,
    int Accounts,
    long OpenHolds,
    long HeadId,
    string HeadHash,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? MasterKeyPath);

internal sealed record StoreCheckView(
    bool Ok,
    long Entries,
    int Accounts,
    long OpenHolds,
    long HeadId,
    string HeadHash,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Problem);

internal sealed record LedgerVerdictView(
    bool Ok,
    long Entries,
    int Accounts,
    long HeadId,
    string HeadHash,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Problem);

/// <summary>The license: not whom it is for, and nothing that could be used elsewhere.</summary>
/// <param name="Edition">The plan, or "community".</param>
/// <param name="Reason">Why there is no license that counts.</param>
/// <param name="Source">The variable or the file that it comes from.</param>
/// <param name="Device">This host, as an issuer names it to bind a license to it.</param>
/// <param name="DeviceBound">Whether the license is for this host only.</param>
/// <param name="UnknownFeatures">Those that nothing in this ccp asks for; null when it asks for each.</param>
/// <param name="Replaced">In the answer to an activation only.</param>
internal sealed record LicenseView(
    string Edition,
    IReadOnlyList<string> Features,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Expires,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Kid,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Warning,
    string Source,
    string Device,
    bool DeviceBound = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? UnknownFeatures = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ReplacedLicenseView? Replaced = null);

/// <summary>The license that counted before another was activated.</summary>
internal sealed record ReplacedLicenseView(string Edition, IReadOnlyList<string> Features, DateTimeOffset Expires);
