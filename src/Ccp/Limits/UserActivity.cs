using Ccp.Configuration;
using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Limits;

/// <summary>What one user is doing and did in the last minutes, in memory. All its members take the same short lock.</summary>
/// <remarks>It belongs to the user and not to the token: a new token does not begin a new minute.</remarks>
internal sealed class UserActivity
{
    private readonly Lock _lock = new();
    private MinuteMeter _requests;
    private MinuteMeter _tokens;
    private int _inProgress;
    private long _freeParts;

    /// <summary>Counts a call in, or says why not. The longest wait is looked at first: there is no use in coming back for the shorter one.</summary>
    public Refusal? TryEnter(UserLimits limits, TimeSpan now)
    {
        lock (_lock)
        {
            if (WaitFor(ref _tokens, limits.TokensPerMinute, now) is { Ticks: > 0 } tokensWait)
            {
                return LimitRefusals.TokenRate(limits, tokensWait);
            }

            if (WaitFor(ref _requests, limits.RequestsPerMinute, now) is { Ticks: > 0 } requestsWait)
            {
                return LimitRefusals.RequestRate(limits, requestsWait);
            }

            if (_inProgress >= limits.Concurrent)
            {
                return LimitRefusals.Concurrency(limits);
            }

            _inProgress++;
            if (limits.RequestsPerMinute > 0)
            {
                _requests.Add(1, limits.RequestsPerMinute, now);
            }

            return null;
        }
    }

    /// <summary>The call is over, and has used these.</summary>
    public void Leave(UserLimits limits, in TokenUsage used, TimeSpan now)
    {
        lock (_lock)
        {
            _inProgress--;
            if (limits.TokensPerMinute > 0)
            {
                // What is read from the cache is left out, as providers leave it out of theirs: Claude Code reads its whole
                // conversation from there at every turn, at a fraction of the price, and nothing else would be seen beside it.
                _tokens.Add(used.Input + used.CacheWrite + used.Output, limits.TokensPerMinute, now);
            }
        }
    }

    /// <param name="parts">See <see cref="FreeRoom"/>.</param>
    public Refusal? TryEnterFree(UserLimits limits, int parts)
    {
        lock (_lock)
        {
            if (_freeParts + parts > (long)limits.Concurrent * FreeRoom.PartsOfAPlace)
            {
                return LimitRefusals.FreeConcurrency();
            }

            _freeParts += parts;
            return null;
        }
    }

    public void LeaveFree(int parts)
    {
        lock (_lock)
        {
            _freeParts -= parts;
        }
    }

    private static TimeSpan WaitFor(ref MinuteMeter meter, long perMinute, TimeSpan now)
    {
        if (perMinute > 0)
        {
            return meter.WaitForOne(perMinute, now);
        }

        meter.Clear();
        return TimeSpan.Zero;
    }
}
