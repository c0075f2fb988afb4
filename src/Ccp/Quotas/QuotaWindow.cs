namespace Ccp.Quotas;

/// <summary>The tokens of the last hours or days, in buckets by the moment a call began. Its owner locks.</summary>
/// <remarks>
/// A bucket is a 1,008th of the window: 18 seconds of five hours, ten minutes of a week. Tokens leave together with their bucket, at most one
/// bucket's length late and never early.
/// </remarks>
internal sealed class QuotaWindow
{
    private const int Parts = 1008;

    /// <summary>One more than the parts: the newest bucket is not over yet, and the oldest stays until the last of its tokens is old enough.</summary>
    private const int BucketCount = Parts + 1;

    private readonly long[] _buckets = new long[BucketCount];
    private long _newest;

    public QuotaWindow(TimeSpan length)
    {
        Length = length;
        BucketMs = ((long)length.TotalMilliseconds + Parts - 1) / Parts;
    }

    public TimeSpan Length { get; }

    public long BucketMs { get; }

    /// <summary>What began before this counts no more.</summary>
    public DateTimeOffset Oldest => DateTimeOffset.FromUnixTimeMilliseconds((_newest - BucketCount + 1) * BucketMs);

    /// <summary>What was used as of the last call of <see cref="MoveTo"/>.</summary>
    public long Used { get; private set; }

    /// <summary>Lets go of what is too old by now. A moment that is past already changes nothing.</summary>
    public void MoveTo(DateTimeOffset now)
    {
        var bucket = BucketOf(now);
        if (bucket - _newest >= BucketCount)
        {
            Array.Clear(_buckets);
            Used = 0;
            _newest = bucket;
        }

        while (_newest < bucket)
        {
            _newest++;
            ref var oldest = ref _buckets[_newest % BucketCount];
            Used -= oldest;
            oldest = 0;
        }
    }

    /// <summary>The clock was set back: what was counted later than now counts as of now. What has left since does not come back by itself.</summary>
    public void SetBack(DateTimeOffset now)
    {
        var bucket = BucketOf(now);
        var later = 0L;
        for (var ahead = Math.Min(_newest - bucket, BucketCount); ahead > 0; ahead--)
        {
            ref var newest = ref _buckets[_newest % BucketCount];
            later += newest;
            newest = 0;
            _newest--;
        }

        _newest = Math.Min(_newest, bucket);
        _buckets[_newest % BucketCount] += later;
    }

    /// <param name="at">When the call began; what began before the window does not count.</param>
    /// <param name="tokens">Negative when a call turns out to have used less than it seemed to.</param>
    public void Add(DateTimeOffset at, long tokens)
    {
        var bucket = Math.Min(BucketOf(at), _newest);
        if (bucket > _newest - BucketCount)
        {
            _buckets[bucket % BucketCount] += tokens;
            Used += tokens;
        }
    }

    /// <summary>When less than <paramref name="cap"/> will be left of what is counted now.</summary>
    public DateTimeOffset FreesAt(long cap)
    {
        var left = Used;
        var bucket = _newest - BucketCount;
        while (left >= cap && bucket < _newest)
        {
            bucket++;
            left -= _buckets[bucket % BucketCount];
        }

        return DateTimeOffset.FromUnixTimeMilliseconds((bucket + BucketCount) * BucketMs);
    }

    private long BucketOf(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / BucketMs;
}
