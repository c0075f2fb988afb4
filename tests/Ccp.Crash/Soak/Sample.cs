using System.Globalization;

namespace Ccp.Crash.Soak;

/// <summary>What ccp takes of the machine at one moment.</summary>
/// <param name="At">Since the load began.</param>
/// <param name="Resident">Bytes of memory.</param>
/// <param name="Descriptors">Open files and sockets.</param>
/// <param name="Store">Bytes of the database file.</param>
/// <param name="WriteAhead">Bytes of SQLite's write-ahead log.</param>
internal sealed record Sample(TimeSpan At, long Resident, int Descriptors, long Store, long WriteAhead)
{
    private const double Megabyte = 1024 * 1024;

    public static Sample Take(TimeSpan at, int processId, string home) => new(
        at,
        ResidentOf(processId),
        Directory.GetFileSystemEntries($"/proc/{processId}/fd").Length,
        SizeOf(Path.Combine(home, "ccp.db")),
        SizeOf(Path.Combine(home, "ccp.db-wal")));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{At:hh\\:mm\\:ss}  memory {Resident / Megabyte,6:0.0} MB  descriptors {Descriptors,5}  store {Store / Megabyte,7:0.0} MB  write-ahead log {WriteAhead / Megabyte,5:0.0} MB");

    private static long ResidentOf(int processId)
    {
        // Such as "VmRSS:	   15320 kB".
        var line = File.ReadLines($"/proc/{processId}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.AsSpan("VmRSS:".Length).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    private static long SizeOf(string file) => File.Exists(file) ? new FileInfo(file).Length : 0;
}
