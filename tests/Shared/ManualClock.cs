namespace Ccp.Tests.Shared;

/// <summary>A clock that moves only when a test moves it. Timers fire, in order of their due time, on the thread that moves it.</summary>
/// <remarks>Written here because the registry does not serve Microsoft.Extensions.TimeProvider.Testing.</remarks>
public sealed class ManualClock(DateTimeOffset start) : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = start;

    public ManualClock()
        : this(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>After each move: by how much.</summary>
    public event Action<TimeSpan>? Advanced;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        var end = GetUtcNow() + by;
        while (TakeNextDue(end) is { } due)
        {
            due.Fire();
        }

        lock (_lock)
        {
            _now = end;
        }

        Advanced?.Invoke(by);
    }

    /// <summary>Sets the wall clock without firing anything: what a correction by the host's operator looks like.</summary>
    public void JumpTo(DateTimeOffset instant)
    {
        lock (_lock)
        {
            _now = instant;
        }
    }

    /// <summary>True when something waits for exactly this long from now: how a test knows that ccp has begun to wait.</summary>
    public bool HasTimerDueIn(TimeSpan wait)
    {
        lock (_lock)
        {
            return _timers.Exists(timer => timer.Due == _now + wait);
        }
    }

    private ManualTimer? TakeNextDue(DateTimeOffset end)
    {
        lock (_lock)
        {
            var due = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
            if (due is null)
            {
                return null;
            }

            _now = due.Due > _now ? due.Due : _now;
            if (due.Period > TimeSpan.Zero)
            {
                due.Due += due.Period;
            }
            else
            {
                _timers.Remove(due);
            }

            return due;
        }
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            // As the host's timers do: milliseconds count, one below zero is never, and fewer are an error.
            ArgumentOutOfRangeException.ThrowIfLessThan((long)dueTime.TotalMilliseconds, -1, nameof(dueTime));
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                if ((long)dueTime.TotalMilliseconds != -1)
                {
                    Due = clock._now + dueTime;
                    Period = period == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : period;
                    clock._timers.Add(this);
                }
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
