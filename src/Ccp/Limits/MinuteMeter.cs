namespace Ccp.Limits;

/// <summary>How much of a limit per minute is used up. What is counted drains away evenly, a whole limit in a minute.</summary>
/// <remarks>
/// So a limit of N lets N pass at once and N a minute after that. What was counted above the limit is worked off at the same pace and may take
/// longer than a minute. Its owner locks.
/// </remarks>
internal struct MinuteMeter
{
    /// <summary>One counted thing: what drains in a minute at a limit of one. In this unit every limit drains a whole number a tick.</summary>
    private const long One = TimeSpan.TicksPerMinute;

    private const long LevelMax = long.MaxValue / 4;

    private long _level;
    private TimeSpan _drainedAt;

    /// <param name="perMinute">The limit as it is now, at least 1.</param>
    /// <param name="now">Since some fixed moment, on the monotonic clock.</param>
    /// <returns>How long until there is room for one more; zero when there is.</returns>
    public TimeSpan WaitForOne(long perMinute, TimeSpan now)
    {
        Drain(perMinute, now);
        var over = _level + One - (perMinute * One);
        return over <= 0 ? TimeSpan.Zero : new TimeSpan((over + perMinute - 1) / perMinute);
    }

    public void Add(long count, long perMinute, TimeSpan now)
    {
        Drain(perMinute, now);
        _level = count >= LevelMax / One ? LevelMax : Math.Min(LevelMax, _level + (count * One));
    }

    /// <summary>Forgets what was counted: no limit stands any more.</summary>
    public void Clear() => _level = 0;

    private void Drain(long perMinute, TimeSpan now)
    {
        var elapsed = (now - _drainedAt).Ticks;
        _drainedAt = now;
        _level = elapsed >= (_level / perMinute) + 1 ? 0 : Math.Max(0, _level - (perMinute * elapsed));
    }
}
