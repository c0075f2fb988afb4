using System.Diagnostics;
using System.Globalization;
using Ccp.Crash.Servers;

namespace Ccp.Crash.Kills;

/// <summary><c>Ccp.Crash kills [--kills N] [--seed N] [--parallel N] [--only POINT] [--breakage NAME]</c>.</summary>
internal static class KillCommand
{
    private const int ShownMax = 40;

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var line = Arguments.Read(arguments, "kills", "seed", "parallel", "only", "breakage");
        var options = new KillOptions(Executables.Ccp, line.Number("seed") ?? Random.Shared.Next(), line.Number("kills") ?? 1000, line.Number("parallel") ?? 4);
        options = line.Text("only") is { } only ? options with { Points = [KillPoints.Named(only)] } : options;
        options = line.Text("breakage") is { } breakage ? options.Broken(breakage) : options;
        Console.WriteLine($"{options.Kills} kills of {options.CcpPath}, {options.Parallel} at a time, seed {options.Seed}");

        var watch = Stopwatch.StartNew();
        var report = await KillRun.RunAsync(options, house =>
        {
            foreach (var violation in house.SelectMany(result => result.Violations.Select(violation => $"kill {result.Order.Number}, {result.Order.Point}: {violation}")))
            {
                Console.WriteLine($"VIOLATION {violation}");
            }

            foreach (var home in house.Select(result => result.KeptHome).OfType<string>())
            {
                Console.WriteLine($"The data directory is kept: {home}");
            }
        });

        Console.WriteLine();
        Console.Write(report.Table());
        foreach (var fault in report.Faults.Take(ShownMax))
        {
            Console.WriteLine(fault);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Kills} kills in {watch.Elapsed.TotalSeconds:0} s, {report.Violations.Count} violations; seed {options.Seed}"));
        return report.Violations.Count == 0 && report.Kills == options.Kills ? 0 : 1;
    }
}
