using System.Globalization;
using System.Runtime.InteropServices;
using Ccp.Bench.Client;
using Ccp.Bench.Machine;

namespace Ccp.Bench.Report;

/// <summary>Where and when the figures were taken; without it they mean little.</summary>
/// <param name="SyncedWrite">See <see cref="Servers.Stage.MeasureSyncedWrite"/>.</param>
internal sealed record Surroundings(DateTimeOffset At, string Kernel, int Cores, double LoadBefore, Latency SyncedWrite, bool IsShort)
{
    public static Surroundings Now(Latency syncedWrite, bool isShort) =>
        new(DateTimeOffset.UtcNow, RuntimeInformation.OSDescription, Environment.ProcessorCount, ProcFiles.LoadAverage(), syncedWrite, isShort);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        ccp beside a direct connection, {At:yyyy-MM-dd HH:mm} UTC{(IsShort ? ", short form: the figures mean nothing" : "")}
        {Cores} cores, {Kernel}, load before the run {LoadBefore:0.0}{(LoadBefore > Cores / 2.0 ? ": others were busy, so the times are too long" : "")}
        a synced write takes {SyncedWrite.P50:0} µs here (p99 {SyncedWrite.P99:0} µs); the ledger waits for one before each answer
        """);
}
