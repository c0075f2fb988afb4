using Ccp.Crash.Calls;

namespace Ccp.Crash.Kills;

/// <summary>Many kills, in several houses at a time. The seed gives the order of the points and every choice within; what the threads make of it is theirs.</summary>
internal static class KillRun
{
    /// <summary>A store that has lived through this many is audited, put away, and a new one begun: an audit reads it all.</summary>
    private const int KillsPerHouse = 25;

    public static IReadOnlyList<KillOrder> Orders(KillOptions options)
    {
        var points = options.Points.SelectMany(point => Enumerable.Repeat(point, point.Share)).ToArray();
        var random = new Random(options.Seed);
        var orders = new List<KillOrder>();
        while (orders.Count < options.Kills)
        {
            random.Shuffle(points);
            orders.AddRange(points.Select(point => new KillOrder(orders.Count, point, 0)).Take(options.Kills - orders.Count));
        }

        return [.. orders.Select((order, number) => order with { Number = number, Seed = unchecked((options.Seed * 1_000_003) + number) })];
    }

    /// <param name="onHouse">Told of each house when it is done; one at a time.</param>
    public static async Task<KillReport> RunAsync(KillOptions options, Action<IReadOnlyList<KillResult>>? onHouse = null)
    {
        await using var timeline = await Timeline.StartAsync();
        var results = new List<KillResult>();
        await Parallel.ForEachAsync(
            Orders(options).Chunk(KillsPerHouse),
            new ParallelOptions { MaxDegreeOfParallelism = options.Parallel },
            async (orders, _) =>
            {
                var done = await new HouseRun(options, timeline).RunAsync(orders);
                lock (results)
                {
                    results.AddRange(done);
                    onHouse?.Invoke(done);
                }
            });
        return new KillReport(options, results, [.. timeline.Faults.Select(fault => $"the upstream's script failed: {fault}")]);
    }
}
