using Ccp.Licensing;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Licenses;

/// <summary>The license as it stands.</summary>
/// <param name="Claims">Null: there is none that counts, and ccp is the Community edition.</param>
/// <param name="Reason">Why there is none; null beside claims.</param>
/// <param name="Warning">What the operator should do soon.</param>
internal sealed record LicenseStanding(LicenseClaims? Claims, string? Reason, string? Warning);

/// <summary>The license in force, which changes while ccp runs: it is activated, deactivated, begins and expires. Without one ccp is the Community edition.</summary>
/// <remarks>Nothing about a license stops ccp or fails a call. Never logged: the pack, whom it is for, signatures.</remarks>
internal sealed class CurrentLicense : IDisposable
{
    private static readonly TimeSpan WarnAhead = TimeSpan.FromDays(14);

    // Clocks are corrected; what is due later than this is looked at again anyway.
    private static readonly TimeSpan LookEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan LookForBeginningEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _change = new();
    private readonly LicenseSource _source;
    private readonly IReadOnlyDictionary<string, byte[]> _keys;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private byte[] _pack = [];
    private string? _unreadable;
    private volatile LicenseStanding? _standing;
    private bool _isDisposed;

    /// <param name="keys">Those that this build trusts.</param>
    public CurrentLicense(LicenseSource source, IReadOnlyDictionary<string, byte[]> keys, TimeProvider time, ILogger log)
    {
        _source = source;
        _keys = keys;
        _time = time;
        _log = log;
        _timer = time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            _pack = source.Read();
        }
        catch (IOException error)
        {
            _unreadable = error.Message;
        }

        Look();
    }

    public string Device { get; } = HostDevice.Id;

    /// <summary>What the license comes from: a variable's name or a file's path.</summary>
    public string SourceName => _source.Variable ?? _source.Path;

    /// <summary>Whether a feature may be used at this moment. Takes no lock and waits for nothing; an expiry counts to the tick.</summary>
    public bool Grants(string feature, DateTimeOffset now) => _standing?.Claims is { } claims && now < claims.ExpiresAt && claims.Grants(feature);

    /// <summary>Judges the license anew, and logs what has changed.</summary>
    public LicenseStanding Look()
    {
        lock (_change)
        {
            var now = _time.GetUtcNow();
            var verdict = _unreadable is null ? LicensePack.Verify(_pack, _keys, now, Device) : LicenseProblem.Missing;
            var standing = StandingOf(verdict, now);
            if (standing != _standing)
            {
                Report(standing, _standing, verdict.Problem == LicenseProblem.Missing && _unreadable is null);
                _standing = standing;
            }

            if (!_isDisposed)
            {
                _timer.Change(NextLook(verdict, now), Timeout.InfiniteTimeSpan);
            }

            return _standing!;
        }
    }

    /// <summary>Takes a pack up, for now and for later starts.</summary>
    /// <returns>Null; or why it counts for nothing, and then the one before stands.</returns>
    /// <exception cref="IOException">It cannot be kept. The one before stands.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public string? Activate(ReadOnlySpan<byte> pack)
    {
        lock (_change)
        {
            var trimmed = pack.Trim(" \t\r\n"u8);
            if (DecidedElsewhere() is { } decided)
            {
                return decided;
            }

            var verdict = LicensePack.Verify(trimmed, _keys, _time.GetUtcNow(), Device);
            if (verdict.Problem is { } problem)
            {
                return LicenseWords.Of(problem, verdict.Dates);
            }

            _source.Write([.. trimmed, (byte)'\n']);
            _pack = trimmed.ToArray();
            _unreadable = null;
            Look();
            return null;
        }
    }

    /// <returns>Null; or why it stays.</returns>
    /// <exception cref="IOException">It cannot be deleted, and stays.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public string? Deactivate()
    {
        lock (_change)
        {
            if (DecidedElsewhere() is { } decided)
            {
                return decided;
            }

            _source.Delete();
            _pack = [];
            _unreadable = null;
            Look();
            return null;
        }
    }

    public void Dispose()
    {
        lock (_change)
        {
            _isDisposed = true;
            _timer.Dispose();
        }
    }

    private string? DecidedElsewhere() => _source.Variable is { } variable ? LicenseWords.DecidedBy(variable) : null;

    private LicenseStanding StandingOf(LicenseVerdict verdict, DateTimeOffset now)
    {
        if (!verdict.IsValid)
        {
            return new LicenseStanding(null, _unreadable ?? LicenseWords.Of(verdict.Problem.Value, verdict.Dates), null);
        }

        // The claims that stand are kept while they say the same, so that two standings compare.
        var claims = _standing?.Claims is { } before && IsSame(before, verdict.Claims) ? before : verdict.Claims;
        var left = claims.ExpiresAt - now;
        return new LicenseStanding(claims, null, left <= WarnAhead ? LicenseWords.Expiry(left, claims.ExpiresAt) : null);
    }

    private static bool IsSame(LicenseClaims left, LicenseClaims right) =>
        left with { Features = [] } == right with { Features = [] } && left.Features.SequenceEqual(right.Features, StringComparer.Ordinal);

    private static TimeSpan NextLook(LicenseVerdict verdict, DateTimeOffset now)
    {
        if (!verdict.IsValid)
        {
            return verdict.Problem == LicenseProblem.NotYetValid ? LookForBeginningEvery : LookEvery;
        }

        var left = verdict.Claims.ExpiresAt - now;
        return left < LookEvery ? left : LookEvery;
    }

    private void Report(LicenseStanding standing, LicenseStanding? before, bool isNone)
    {
        if (standing.Claims is { } claims && claims != before?.Claims)
        {
            _log.LicenseInForce(claims.Plan, string.Join(", ", claims.Features), LicenseWords.Moment(claims.ExpiresAt), claims.KeyId);
        }
        else if (isNone)
        {
            _log.CommunityEdition();
        }
        else if (standing.Reason is { } reason)
        {
            _log.LicenseCountsForNothing(reason);
        }

        if (standing.Warning is { } warning && warning != before?.Warning)
        {
            _log.LicenseExpires(warning);
        }
    }
}
