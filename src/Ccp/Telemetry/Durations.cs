namespace Ccp.Telemetry;

/// <summary>How often something took how long: a count for each bucket, and the sum.</summary>
internal sealed class Durations
{
    /// <summary>Up to and including. What takes longer than the last is in a bucket of its own.</summary>
    public static readonly IReadOnlyList<TimeSpan> Bounds =
    [
        TimeSpan.FromMilliseconds(250),
        TimeSpan.FromMilliseconds(500),
        TimeSpan.FromSeconds(1),
        TimeSpan.FromSeconds(2),
        TimeSpan.FromSeconds(5),
        TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(30),
        TimeSpan.FromSeconds(60),
    ];

    private readonly long[] _counts = new long[Bounds.Count + 1];
    private long _ticks;

    public TimeSpan Sum => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

    public void Add(TimeSpan duration)
    {
        var bucket = 0;
        while (bucket < Bounds.Count && duration > Bounds[bucket])
        {
            bucket++;
        }

        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _ticks, duration.Ticks);
    }

    /// <summary>For each bound, how many took no longer; the last is all of them.</summary>
    public IReadOnlyList<long> UpToBounds()
    {
        var upTo = new long[_counts.Length];
        var sum = 0L;
        for (var bucket = 0; bucket < upTo.Length; bucket++)
        {
            upTo[bucket] = sum += Interlocked.Read(ref _counts[bucket]);
        }

        return upTo;
    }
}
