using System.Diagnostics;

namespace Ccp.Bench.Client;

/// <summary>The monotonic clock, in nanoseconds: all processes of a machine read the same one.</summary>
internal static class Clock
{
    private static readonly long NanosecondsPerTick = 1_000_000_000 / Stopwatch.Frequency;

    public static long Now => Stopwatch.GetTimestamp() * NanosecondsPerTick;

    public static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;
}
