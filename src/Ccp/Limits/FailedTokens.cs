using System.Net;

namespace Ccp.Limits;

/// <summary>Counts calls without a valid token by the address they come from, and says when one has made too many.</summary>
/// <remarks>
/// No token can be guessed, having 122 random bits; this keeps guessing from filling the logs. A valid token is therefore served wherever it comes
/// from: colleagues behind one address do not suffer for each other.
/// Memory is bounded: an address is forgotten after a minute or two of silence, when its meter has drained, and beyond
/// <see cref="AddressesMax"/> new ones share one meter.
/// </remarks>
/// <param name="perMinute">0: no limit.</param>
internal sealed class FailedTokens(int perMinute, TimeProvider time)
{
    public const int AddressesMax = 10_000;

    private readonly Lock _lock = new();
    private readonly Attempts _everyoneElse = new();
    private Dictionary<UInt128, Attempts> _recent = [];
    private Dictionary<UInt128, Attempts> _older = [];
    private TimeSpan _turnedAt = Admission.Monotonic(time);

    /// <summary>How many addresses are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _recent.Count + _older.Count;
            }
        }
    }

    /// <summary>Counts one more, unless there is no room for it.</summary>
    /// <param name="isNews">True the first time an address is told to wait.</param>
    /// <returns>How long this address must wait; zero when it was counted.</returns>
    public TimeSpan Add(IPAddress from, out bool isNews)
    {
        isNews = false;
        if (perMinute == 0)
        {
            return TimeSpan.Zero;
        }

        lock (_lock)
        {
            var now = Admission.Monotonic(time);
            Turn(now);
            var attempts = Find(CallerNetwork.Of(from));
            var wait = attempts.Meter.WaitForOne(perMinute, now);
            if (wait == TimeSpan.Zero)
            {
                attempts.Meter.Add(1, perMinute, now);
            }
            else
            {
                isNews = !attempts.IsTold;
                attempts.IsTold = true;
            }

            return wait;
        }
    }

    /// <summary>What was not touched for a whole turn has drained, since a meter is never filled above its limit: it can go.</summary>
    private void Turn(TimeSpan now)
    {
        if (now - _turnedAt >= TimeSpan.FromMinutes(1))
        {
            var isLongAgo = now - _turnedAt >= TimeSpan.FromMinutes(2);
            (_older, _recent) = (isLongAgo ? [] : _recent, []);
            _turnedAt = now;
            _everyoneElse.IsTold = false;
        }
    }

    private Attempts Find(UInt128 key)
    {
        if (_recent.TryGetValue(key, out var attempts))
        {
            return attempts;
        }

        if (_recent.Count >= AddressesMax)
        {
            return _older.GetValueOrDefault(key) ?? _everyoneElse;
        }

        attempts = _older.Remove(key, out var known) ? known : new Attempts();
        _recent.Add(key, attempts);
        return attempts;
    }

    private sealed class Attempts
    {
        public MinuteMeter Meter;
        public bool IsTold;
    }
}
