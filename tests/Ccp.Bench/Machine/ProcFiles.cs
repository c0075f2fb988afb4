using System.Globalization;

namespace Ccp.Bench.Machine;

/// <summary>What <c>/proc</c> says of a process and of the machine.</summary>
internal static class ProcFiles
{
    /// <summary>Bytes of memory in use.</summary>
    public static long ResidentBytes(int processId) => StatusBytes(processId, "VmRSS:");

    /// <summary>The most it ever was.</summary>
    public static long PeakResidentBytes(int processId) => StatusBytes(processId, "VmHWM:");

    public static int Descriptors(int processId) => Directory.GetFileSystemEntries($"/proc/{processId}/fd").Length;

    /// <summary>Processes that wanted a core, averaged over the last minute.</summary>
    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private static long StatusBytes(int processId, string name)
    {
        // Such as "VmRSS:	   15320 kB".
        var line = File.ReadLines($"/proc/{processId}/status").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))
            ?? throw new BenchFailedException($"/proc/{processId}/status has no {name} The process has ended.");
        return long.Parse(line.AsSpan(name.Length).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) * 1024;
    }
}
