namespace Ccp.Bench.Client;

/// <summary>In microseconds. Without samples, not a number.</summary>
internal readonly record struct Latency(double P50, double P99)
{
    /// <param name="nanoseconds">Is sorted in place.</param>
    public static Latency Of(List<long> nanoseconds)
    {
        nanoseconds.Sort();
        return new(Percentile(nanoseconds, 0.50), Percentile(nanoseconds, 0.99));
    }

    private static double Percentile(List<long> sorted, double part) =>
        sorted.Count == 0 ? double.NaN : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * part))] / 1_000.0;
}
