using System.Runtime.InteropServices;

namespace Ccp.Bench.Machine;

/// <summary>What the class library has no call for.</summary>
internal static partial class LibC
{
    private const int Sigterm = 15;

    public static void Terminate(int processId) => _ = kill(processId, Sigterm);

    /// <summary>User and system time of all threads, also those that have ended: utime and stime of <c>/proc/PID/stat</c>.</summary>
    /// <remarks>The file counts in steps of 10 ms, which is a seventh of what 20 paced streams take in a round; this clock counts nanoseconds.</remarks>
    public static TimeSpan CpuTimeOf(int processId)
    {
        if (clock_getcpuclockid(processId, out var clock) != 0 || clock_gettime(clock, out var time) != 0)
        {
            throw new BenchFailedException($"Process {processId} has ended: its CPU time cannot be read.");
        }

        return new TimeSpan((time.Seconds * TimeSpan.TicksPerSecond) + (time.Nanoseconds / TimeSpan.NanosecondsPerTick));
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc")]
    private static partial int clock_getcpuclockid(int pid, out int clock);

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
