using System.Collections.Concurrent;
using System.Numerics;
using Ccp.Pricing;

namespace Ccp.Ledger;

/// <summary>What calls like this one have lately cost this account: the size of its next hold.</summary>
internal sealed class ChargeHistory
{
    private readonly ConcurrentDictionary<(long Account, string PricedAs), ChargeHistogram> _histograms = new();

    public void Add(long account, string pricedAs, NanoUsd charge) => _histograms.GetOrAdd((account, pricedAs), _ => new ChargeHistogram()).Add(charge);

    /// <returns>Null with too few samples to say.</returns>
    public NanoUsd? NinetyFifthPercentile(long account, string pricedAs) =>
        _histograms.TryGetValue((account, pricedAs), out var histogram) ? histogram.NinetyFifthPercentile() : null;
}

/// <summary>Charges in logarithmic buckets, four to each doubling, with older samples fading out.</summary>
internal sealed class ChargeHistogram
{
    public const int SamplesMin = 8;

    /// <summary>With this many samples all counts are halved: last week's habit must not outvote today's.</summary>
    private const int SamplesMax = 256;

    private const int BucketsPerDoublingLog2 = 2;

    private readonly Lock _lock = new();
    private readonly int[] _counts = new int[64 << BucketsPerDoublingLog2];
    private int _samples;

    public void Add(NanoUsd charge)
    {
        lock (_lock)
        {
            _counts[BucketOf(charge.Value)]++;
            _samples++;
            if (_samples >= SamplesMax)
            {
                Fade();
            }
        }
    }

    /// <returns>The upper edge of the bucket that the 95th percentile lies in; null with fewer than eight samples.</returns>
    public NanoUsd? NinetyFifthPercentile()
    {
        lock (_lock)
        {
            if (_samples < SamplesMin)
            {
                return null;
            }

            var below = 0;
            for (var bucket = 0; bucket < _counts.Length; bucket++)
            {
                below += _counts[bucket];
                if (below * 100L >= _samples * 95L)
                {
                    return new NanoUsd(UpperEdgeOf(bucket));
                }
            }

            return null;
        }
    }

    private static int BucketOf(long nanos)
    {
        if (nanos < 1 << BucketsPerDoublingLog2)
        {
            return (int)Math.Max(nanos, 0);
        }

        var doubling = BitOperations.Log2((ulong)nanos);
        var fraction = (int)(nanos >> (doubling - BucketsPerDoublingLog2)) & ((1 << BucketsPerDoublingLog2) - 1);
        return (doubling << BucketsPerDoublingLog2) + fraction;
    }

    private static long UpperEdgeOf(int bucket)
    {
        if (bucket < 1 << BucketsPerDoublingLog2)
        {
            return bucket;
        }

        var doubling = bucket >> BucketsPerDoublingLog2;
        var fraction = (bucket & ((1 << BucketsPerDoublingLog2) - 1)) + (1 << BucketsPerDoublingLog2);
        return ((long)(fraction + 1) << (doubling - BucketsPerDoublingLog2)) - 1;
    }

    private void Fade()
    {
        _samples = 0;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            _counts[bucket] /= 2;
            _samples += _counts[bucket];
        }
    }
}
