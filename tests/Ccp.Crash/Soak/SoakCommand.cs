using System.Globalization;
using Ccp.Crash.Audit;
using Ccp.Crash.Calls;
using Ccp.Crash.Servers;

namespace Ccp.Crash.Soak;

/// <summary><c>Ccp.Crash soak [--minutes N] [--streams N] [--seed N]</c>.</summary>
internal static class SoakCommand
{
    private const int Users = 8;
    private const int ViolationsShownMax = 40;

    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ShowEvery = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var line = Arguments.Read(arguments, "minutes", "streams", "seed");
        var (length, streams, seed) = (TimeSpan.FromMinutes(line.Number("minutes") ?? 30), line.Number("streams") ?? 200, line.Number("seed") ?? Random.Shared.Next());
        Console.WriteLine($"{streams} streams through {Executables.Ccp} for {length.TotalMinutes.ToString(CultureInfo.InvariantCulture)} minutes, seed {seed}");

        await using var timeline = await Timeline.StartAsync();
        await using var house = new House(Executables.Ccp, timeline.Address, Users, new Dictionary<string, string>());
        await house.StartAsync();
        using var load = new SoakLoad(house, timeline, seed);
        await load.BeginAsync(streams);

        var (samples, violations) = await WatchAsync(house, load, length);
        await load.EndAsync();
        if (await house.StopAsync() is { } problem)
        {
            violations.Add(problem);
        }

        var books = house.Store.Read();
        violations.AddRange(load.JudgeRest(books));
        violations.AddRange(BookRules.Violations(books, load.TopUps));
        violations.AddRange(timeline.Faults.Select(fault => $"the upstream's script failed: {fault}"));
        var flatness = Flatness.Of(samples, books.Requests.Count);
        foreach (var said in flatness.Lines.Concat(violations.Take(ViolationsShownMax).Select(violation => $"VIOLATION {violation}")))
        {
            Console.WriteLine(said);
        }

        Console.WriteLine($"{load.Judged} calls, {books.Requests.Count} charged, {load.Refused} refused or ended for want of money, {load.TopUps.Count} top-ups; {violations.Count} violations");
        house.IsKept = violations.Count > 0;
        Console.WriteLine(house.IsKept ? $"The data directory is kept: {house.Home}" : "The books are right.");
        return violations.Count == 0 && flatness.Problems.Count == 0 ? 0 : 1;
    }

    private static async Task<(List<Sample> Samples, List<string> Violations)> WatchAsync(House house, SoakLoad load, TimeSpan length)
    {
        var samples = new List<Sample>();
        var violations = new List<string>();
        var start = DateTimeOffset.UtcNow;
        using var timer = new PeriodicTimer(SampleEvery);
        var shown = TimeSpan.Zero;
        while (await timer.WaitForNextTickAsync() && !house.Process.HasExited)
        {
            var now = DateTimeOffset.UtcNow;
            var sample = Sample.Take(now - start, house.Process.Id, house.Home);
            samples.Add(sample);
            if (sample.At - shown >= ShowEvery)
            {
                shown = sample.At;
                violations.AddRange(load.Judge(now));
                Console.WriteLine($"{sample}  calls {load.Judged}  violations {violations.Count}");
            }

            if (sample.At >= length)
            {
                return (samples, violations);
            }
        }

        violations.Add($"ccp ended by itself: {house.Process.Stderr}");
        return (samples, violations);
    }
}
