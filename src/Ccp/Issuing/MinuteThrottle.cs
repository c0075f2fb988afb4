namespace Ccp.Issuing;

/// <summary>Counts requests by minute and by whose they are, so that codes cannot be guessed by the thousand.</summary>
internal sealed class MinuteThrottle<TCaller>(int perMinuteMax, TimeProvider time) where TCaller : notnull
{
    // More callers within a minute than an issuer has customers: from there on all new ones are strangers, and share.
    private const int CallersMax = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<TCaller, int> _counts = [];
    private int _strangers;
    private long _since = time.GetTimestamp();

    /// <returns>False when this caller has asked too often within the minute.</returns>
    public bool Allows(TCaller caller)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_since) >= TimeSpan.FromMinutes(1))
            {
                _since = time.GetTimestamp();
                _counts.Clear();
                _strangers = 0;
            }

            var isKnown = _counts.TryGetValue(caller, out var count);
            if (!isKnown && _counts.Count >= CallersMax)
            {
                return _strangers++ < perMinuteMax;
            }

            _counts[caller] = count + 1;
            return count < perMinuteMax;
        }
    }
}
