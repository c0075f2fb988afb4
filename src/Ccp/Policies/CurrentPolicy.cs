using System.Globalization;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Licensing;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Policies;

/// <summary>The policy pack in force: the last good one, from the cache at the start, from its source from then on. Without one the built-in route decides.</summary>
/// <remarks>Nothing about a policy delays a start or fails a call. What is cached is verified again each time it is looked at; so is what is in force.</remarks>
internal sealed class CurrentPolicy : IDisposable
{
    // A network that is not there yet at the start is there soon after.
    private static readonly TimeSpan AgainAfterFailure = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromHours(1);

    // A timer counts whole milliseconds: what is left of one would be none, and it would look again and again until it had passed.
    private static readonly TimeSpan LookSoonest = TimeSpan.FromMilliseconds(1);

    private readonly Lock _change = new();
    private readonly PolicyConfig _config;
    private readonly PolicyFetch _fetch;
    private readonly PolicyCache _cache;
    private readonly Func<IReadOnlyCollection<string>> _lanes;
    private readonly Action<IReadOnlyList<RouteConfig>> _take;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ITimer _fetchTimer;
    private readonly ITimer _lookTimer;
    private FetchedPolicy? _kept;
    private PolicyClaims? _claims;
    private string _reason = "none was fetched yet";
    private string? _problem;
    private bool _isDisposed;

    /// <param name="lanes">The names of the lanes that there are now.</param>
    /// <param name="take">Told the routes each time they change; none when no policy counts.</param>
    public CurrentPolicy(PolicyConfig config, PolicyFetch fetch, PolicyCache cache, Func<IReadOnlyCollection<string>> lanes, Action<IReadOnlyList<RouteConfig>> take, TimeProvider time, ILogger log)
    {
        (_config, _fetch, _cache, _lanes, _take, _time, _log) = (config, fetch, cache, lanes, take, time, log);
        _fetchTimer = time.CreateTimer(_ => _ = RefreshAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _lookTimer = time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            _kept = cache.Read();
        }
        catch (IOException error)
        {
            _reason = $"the cache cannot be read: {error.Message}";
        }

        if (_kept is not null)
        {
            Look();
        }
    }

    /// <summary>In a few words, for <c>/readyz</c> and <c>ccp doctor</c>.</summary>
    public string Summary
    {
        get
        {
            lock (_change)
            {
                return (_claims is { } claims ? $"{claims.Version} until {Moment(claims.ExpiresAt)}" : $"none: {_reason}")
                    + (_problem is null ? "" : $". The newest was not taken: {_problem}");
            }
        }
    }

    public bool IsInForce
    {
        get
        {
            lock (_change)
            {
                return _claims is not null && _problem is null;
            }
        }
    }

    /// <summary>From now on it is fetched, at once and then as often as the operator wants.</summary>
    public void Begin() => _fetchTimer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);

    /// <summary>Fetches it. What cannot be fetched, or is not good, leaves the last good one in force.</summary>
    public async Task RefreshAsync()
    {
        // Said when something fails that nobody foresaw. Nobody waits for this task, so nobody else would say it, or fetch again.
        string? problem = "ccp failed while it took it up; tell whoever maintains ccp";
        try
        {
            problem = Take(await _fetch.FetchAsync());
        }
        catch (IOException error)
        {
            problem = error.Message;
        }
        finally
        {
            End(problem);
        }
    }

    /// <summary>Judges the last good one anew: it may have expired, and the lanes may be others.</summary>
    public void Look()
    {
        lock (_change)
        {
            if (_kept is null || _isDisposed)
            {
                return;
            }

            var now = _time.GetUtcNow();
            var verdict = Judge(_kept, now);
            if (verdict.Claims is { } claims)
            {
                Use(claims, now);
                return;
            }

            _reason = $"the last good one: {WordsFor(verdict.Problem!.Value)}";
            if (_claims is not null || verdict.Problem == PolicyProblem.SignatureInvalid)
            {
                _log.NoPolicy(_reason);
            }

            _claims = null;
            _take([]);
        }
    }

    public void Dispose()
    {
        lock (_change)
        {
            _isDisposed = true;
            _fetchTimer.Dispose();
            _lookTimer.Dispose();
        }

        _fetch.Dispose();
    }

    /// <summary>A fetch has ended; another follows it.</summary>
    private void End(string? problem)
    {
        lock (_change)
        {
            if (problem is not null && problem != _problem)
            {
                _log.PolicyNotTaken(problem);
            }

            _problem = problem;
            if (!_isDisposed)
            {
                _fetchTimer.Change(problem is not null && _config.Refresh > AgainAfterFailure ? AgainAfterFailure : _config.Refresh, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <returns>Why it is not taken; null when it is.</returns>
    private string? Take(FetchedPolicy fetched)
    {
        lock (_change)
        {
            var now = _time.GetUtcNow();
            var verdict = Judge(fetched, now);
            if (!verdict.IsValid)
            {
                return WordsFor(verdict.Problem.Value);
            }

            // A pack says of itself only when it ends. Whoever cannot sign one can still put back one that was signed once.
            if (_claims is { } current && now < current.ExpiresAt && verdict.Claims.ExpiresAt < current.ExpiresAt)
            {
                return $"it ends on {Moment(verdict.Claims.ExpiresAt)}, before the one in force, so it may be an older one that somebody put back; "
                    + "its publisher must publish one that ends no earlier, or you delete policy.cache in the data directory and restart ccp";
            }

            var isNew = _kept is null || !_kept.Pack.AsSpan().SequenceEqual(fetched.Pack) || !_kept.Signature.AsSpan().SequenceEqual(fetched.Signature);
            _kept = fetched;
            Use(verdict.Claims, now);
            if (isNew)
            {
                Keep(fetched);
            }

            return null;
        }
    }

    /// <param name="now">When it was judged. Read once: at a later moment it may have expired.</param>
    private void Use(PolicyClaims claims, DateTimeOffset now)
    {
        var isAnother = _claims is null || _claims.Version != claims.Version || _claims.ExpiresAt != claims.ExpiresAt || !_claims.Routes.SequenceEqual(claims.Routes);
        _claims = claims;
        _take([.. claims.Routes.Select(RouteOf)]);
        if (isAnother)
        {
            // Said once it is so.
            _log.PolicyInForce(claims.Version, Moment(claims.ExpiresAt), claims.Routes.Count);
        }

        if (!_isDisposed)
        {
            var left = claims.ExpiresAt - now;
            _lookTimer.Change(left < LookSoonest ? LookSoonest : left < LookEvery ? left : LookEvery, Timeout.InfiniteTimeSpan);
        }
    }

    private void Keep(FetchedPolicy fetched)
    {
        try
        {
            _cache.Write(fetched);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _log.PolicyNotKept(error.Message);
        }
    }

    private PolicyVerdict Judge(FetchedPolicy policy, DateTimeOffset now) => PolicyPack.Verify(policy.Pack, policy.Signature, _config.PublicKeys, _lanes(), now);

    /// <summary>As the built-in route: a lane that cannot be taken, or fails, has the default lane behind it.</summary>
    private static RouteConfig RouteOf(PolicyRoute route) =>
        new(route.Pattern, route.Lane, route.Lane == BuiltInLanes.Anthropic ? null : BuiltInLanes.Anthropic, OnlyIfCheaper: false);

    private static string WordsFor(PolicyProblem problem) => problem switch
    {
        PolicyProblem.SignatureInvalid => "its signature is not over these bytes by a key of policy.public_key; it was changed on the way, or its publisher has another key",
        PolicyProblem.Malformed => "it is well signed, but no policy; tell its publisher",
        PolicyProblem.LaneUnknown => "it has a route to a lane that there is not; add the lane, or tell its publisher",
        PolicyProblem.Expired => "it has expired; its publisher must publish another, or look at this host's clock",
        _ => throw new ArgumentOutOfRangeException(nameof(problem)),
    };

    private static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
