using Microsoft.Extensions.Logging;

namespace Ccp.Telemetry;

/// <summary>Every line of the process log. None takes a header, a body, a key or a token.</summary>
internal static partial class LogEvents
{
    [LoggerMessage(1, LogLevel.Information, "ccp {Version} serves on {Addresses}; data in {DataDirectory}; configuration {Configuration}")]
    public static partial void Serving(this ILogger log, string version, string addresses, string dataDirectory, string configuration);

    [LoggerMessage(2, LogLevel.Information, "ccp stops: {Streams} calls in progress may finish within {DrainSeconds} s")]
    public static partial void Draining(this ILogger log, int streams, double drainSeconds);

    [LoggerMessage(3, LogLevel.Information, "ccp stopped")]
    public static partial void Stopped(this ILogger log);

    [LoggerMessage(4, LogLevel.Warning, "No upstream can be reached over TLS: {Problem}")]
    public static partial void NoTrustedRoots(this ILogger log, string problem);

    [LoggerMessage(5, LogLevel.Warning, "auth.mode is local: {Meaning}")]
    public static partial void ServesLocally(this ILogger log, string meaning);

    [LoggerMessage(10, LogLevel.Critical, "The store failed; billed calls are refused until it works again")]
    public static partial void StoreFailed(this ILogger log, Exception error);

    [LoggerMessage(11, LogLevel.Information, "The store works again; everything that waited is written")]
    public static partial void StoreRecovered(this ILogger log);

    [LoggerMessage(12, LogLevel.Critical, "A ledger write was rejected and is kept; billed calls are refused until it goes through")]
    public static partial void WriteRejected(this ILogger log, Exception error);

    [LoggerMessage(13, LogLevel.Warning, "Recovery charged {Count} calls that were in progress when ccp last ended, {Amount} USD in all")]
    public static partial void Recovered(this ILogger log, int count, string amount);

    [LoggerMessage(14, LogLevel.Information, "Ledger head: entry {Id}, hash {Hash}")]
    public static partial void LedgerHead(this ILogger log, long id, string hash);

    [LoggerMessage(15, LogLevel.Critical, "Billed calls are refused until the store is put right and ccp is restarted: {What}")]
    public static partial void StoreDamaged(this ILogger log, string what);

    [LoggerMessage(16, LogLevel.Critical, "Billed calls are refused: {Problem}")]
    public static partial void StoreUnhealthy(this ILogger log, string problem);

    [LoggerMessage(18, LogLevel.Warning, "The store could not be read for damage: {Reason}")]
    public static partial void StoreNotChecked(this ILogger log, string reason);

    [LoggerMessage(17, LogLevel.Warning, "The write-ahead log has {Mebibytes} MiB: something reads the store for a long time and keeps it from being emptied")]
    public static partial void WalGrows(this ILogger log, long mebibytes);

    [LoggerMessage(34, LogLevel.Warning, "{Count} records of calls that are not charged were dropped: more than {Max} writes waited for the store")]
    public static partial void RecordsDropped(this ILogger log, long count, int max);

    [LoggerMessage(19, LogLevel.Information, "The store was backed up to {Path}; ledger head: entry {Id}, hash {Hash}")]
    public static partial void BackedUp(this ILogger log, string path, long id, string hash);

    [LoggerMessage(20, LogLevel.Warning, "{RequestId}: lane {Lane} could not be reached: {Reason}")]
    public static partial void LaneUnreachable(this ILogger log, string requestId, string lane, string reason);

    [LoggerMessage(21, LogLevel.Error, "{RequestId}: lane {Lane} refused the key that ccp holds for user {User} (status {Status})")]
    public static partial void UpstreamKeyRefused(this ILogger log, string requestId, string lane, string user, int status);

    [LoggerMessage(22, LogLevel.Warning, "{RequestId}: the stream of user {User} was ended: the account is overdrawn")]
    public static partial void EndedForCredit(this ILogger log, string requestId, string user);

    [LoggerMessage(23, LogLevel.Error, "{RequestId}: failed inside ccp")]
    public static partial void CallFailed(this ILogger log, Exception error, string requestId);

    [LoggerMessage(29, LogLevel.Warning, "The anthropic lane has no key: users without a key of their own are refused there. Set {Variable} for ccp serve, or give each user a key")]
    public static partial void NoAnthropicKey(this ILogger log, string variable);

    [LoggerMessage(24, LogLevel.Warning, "{RequestId}: user {User} has {Balance} USD left")]
    public static partial void LowBalance(this ILogger log, string requestId, string user, string balance);

    [LoggerMessage(25, LogLevel.Warning, "{RequestId}: the stream of user {User} was ended: a spending limit was passed")]
    public static partial void EndedForSpendLimit(this ILogger log, string requestId, string user);

    [LoggerMessage(26, LogLevel.Warning, "Too many calls without a valid token come from {Address}: it is told to wait, and what it sends meanwhile is not logged")]
    public static partial void AddressThrottled(this ILogger log, string address);

    [LoggerMessage(30, LogLevel.Error, "The usage log cannot be written: {Reason}")]
    public static partial void UsageLogFailed(this ILogger log, string reason);

    [LoggerMessage(31, LogLevel.Warning, "{Count} usage log lines were dropped: the disk is slower than the traffic")]
    public static partial void UsageLogDropped(this ILogger log, long count);

    [LoggerMessage(40, LogLevel.Information, "User {User}: {What}, by {Actor}")]
    public static partial void UserChanged(this ILogger log, string user, string what, string actor);

    [LoggerMessage(41, LogLevel.Information, "Rerate {Run}: {Corrected} requests corrected, {Difference} USD in all, by {Actor}")]
    public static partial void Rerated(this ILogger log, string run, long corrected, string difference, string actor);

    [LoggerMessage(50, LogLevel.Error, "Lane {Lane} failed {Failures} times in a row, the last time with {Reason}; it is left alone for {PauseSeconds} s")]
    public static partial void LaneDown(this ILogger log, string lane, int failures, string reason, double pauseSeconds);

    [LoggerMessage(51, LogLevel.Information, "Lane {Lane} answers again")]
    public static partial void LaneAnswersAgain(this ILogger log, string lane);

    [LoggerMessage(90, LogLevel.Warning, "Lane {Lane}: {Percent} % of the quota of {Model} is used")]
    public static partial void QuotaWarns(this ILogger log, string lane, string model, long percent);

    [LoggerMessage(91, LogLevel.Warning, "Lane {Lane}: the quota of {Model} is used up until {Until}")]
    public static partial void QuotaIsFull(this ILogger log, string lane, string model, string until);

    [LoggerMessage(92, LogLevel.Warning, "Lane {Lane} answered {Model} with 429: where a route names a fallback, it is avoided for {Seconds} s")]
    public static partial void QuotaCoolsDown(this ILogger log, string lane, string model, long seconds);

    [LoggerMessage(93, LogLevel.Warning, "A 429 or a fallback could not be written down, and is forgotten at the next start: {Reason}")]
    public static partial void QuotaNotWritten(this ILogger log, string reason);

    [LoggerMessage(96, LogLevel.Warning, "The clock was set back by {Seconds} s; the quotas were counted anew from the records")]
    public static partial void QuotasCountedAfterClock(this ILogger log, long seconds);

    [LoggerMessage(99, LogLevel.Warning, "{Count} request records are dated later than now: the clock was ahead when they were written, or is behind. Quotas count them as of now, once")]
    public static partial void RecordsDatedLater(this ILogger log, int count);

    [LoggerMessage(97, LogLevel.Error, "The clock was set back by {Seconds} s, and the quotas could not be counted anew; ccp goes on with what it remembers: {Reason}")]
    public static partial void QuotasNotCountedAfterClock(this ILogger log, long seconds, string reason);

    [LoggerMessage(95, LogLevel.Error, "The quotas of the changed configuration could not be counted, and those before stay until the next reload: {Reason}")]
    public static partial void QuotasNotTakenUp(this ILogger log, string reason);

    [LoggerMessage(94, LogLevel.Information, "The quotas were read anew, {Count} in all, by {Actor}")]
    public static partial void QuotasReloaded(this ILogger log, int count, string actor);

    [LoggerMessage(60, LogLevel.Information, "License: plan {Plan}, features {Features}, until {Expires}, key {KeyId}")]
    public static partial void LicenseInForce(this ILogger log, string plan, string features, string expires, string keyId);

    [LoggerMessage(61, LogLevel.Information, "Community edition: there is no license")]
    public static partial void CommunityEdition(this ILogger log);

    [LoggerMessage(62, LogLevel.Warning, "Community edition: {Reason}")]
    public static partial void LicenseCountsForNothing(this ILogger log, string reason);

    [LoggerMessage(63, LogLevel.Warning, "{Warning}")]
    public static partial void LicenseExpires(this ILogger log, string warning);

    [LoggerMessage(64, LogLevel.Information, "The license was {What}, by {Actor}")]
    public static partial void LicenseChanged(this ILogger log, string what, string actor);

    [LoggerMessage(65, LogLevel.Warning, "{Problem}")]
    public static partial void LicenseKeysIgnored(this ILogger log, string problem);

    [LoggerMessage(68, LogLevel.Warning, "This is a dev build: it also trusts the license keys in the environment")]
    public static partial void DevBuild(this ILogger log);

    [LoggerMessage(70, LogLevel.Information, "Configuration taken up: {Lanes} lanes, {Routes} routes, paused: {Paused}; asked for by {Asker}")]
    public static partial void ConfigTakenUp(this ILogger log, int lanes, int routes, bool paused, string asker);

    [LoggerMessage(71, LogLevel.Error, "The configuration stays as it was: {Problem}")]
    public static partial void ConfigRefused(this ILogger log, string problem);

    [LoggerMessage(72, LogLevel.Warning, "Changed in the file, and taken up by a restart only: {Settings}")]
    public static partial void ConfigNeedsRestart(this ILogger log, string settings);

    [LoggerMessage(73, LogLevel.Warning, "Lanes {What}, by {Actor}")]
    public static partial void LanesSwitched(this ILogger log, string what, string actor);

    [LoggerMessage(74, LogLevel.Information, "Policy {Version} is in force until {Expires}, with {Routes} routes")]
    public static partial void PolicyInForce(this ILogger log, string version, string expires, int routes);

    [LoggerMessage(75, LogLevel.Warning, "No policy is in force, and the built-in route decides: {Reason}")]
    public static partial void NoPolicy(this ILogger log, string reason);

    [LoggerMessage(76, LogLevel.Warning, "The policy stays as it was: {Reason}")]
    public static partial void PolicyNotTaken(this ILogger log, string reason);

    [LoggerMessage(77, LogLevel.Warning, "The policy in force could not be kept for the next start: {Reason}")]
    public static partial void PolicyNotKept(this ILogger log, string reason);

    [LoggerMessage(66, LogLevel.Information, "Issued a license: plan {Plan}, features {Features}, until {Expires}, key {KeyId}; redemption {Count} of {CountMax} of its invite")]
    public static partial void LicenseIssued(this ILogger log, string plan, string features, string expires, string keyId, long count, long countMax);

    [LoggerMessage(67, LogLevel.Error, "The issuer failed: {Reason}")]
    public static partial void IssuerFailed(this ILogger log, string reason);
}
