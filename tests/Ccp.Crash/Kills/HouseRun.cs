using System.Net.Sockets;
using Ccp.Crash.Audit;
using Ccp.Crash.Calls;
using Ccp.Crash.Servers;

namespace Ccp.Crash.Kills;

/// <summary>The kills of one house, one after the other on the same data directory, each with its audit; then a quiet hour and a proper end.</summary>
internal sealed class HouseRun(KillOptions options, Timeline timeline)
{
    private const int Users = 4;
    private const int QuietCalls = 16;

    /// <summary>Of a new data directory: the master key, the tables and the first admin are made then.</summary>
    private const int FirstStartsKilled = 2;

    private readonly List<TopUp> _topUps = [];

    public async Task<IReadOnlyList<KillResult>> RunAsync(IReadOnlyList<KillOrder> orders)
    {
        var results = new List<KillResult>();
        await using var house = new House(options.CcpPath, timeline.Address, Users, options.Environment);
        var order = orders[0];
        try
        {
            await KillStartsAsync(house, order, FirstStartsKilled);
            await house.StartAsync();
            foreach (var user in house.Users)
            {
                var first = new TopUp(user, "1000", $"first-of-{user}");
                first.IsConfirmed = await house.TopUpAsync(first);
                _topUps.Add(first);
            }

            foreach (var next in orders)
            {
                order = next;
                results.Add(await KillAsync(house, next));
            }

            results.Add(await EndQuietlyAsync(house, order));
        }
        catch (Exception error) when (error is CcpEndedException or OperationCanceledException or InvalidOperationException or IOException or HttpRequestException or SocketException)
        {
            // Whatever keeps a kill from being made or judged is a finding too.
            results.Add(new KillResult(order, [], [$"{error.GetType().Name}: {error.Message}"]));
        }

        house.IsKept = results.Exists(result => result.Violations.Count > 0);
        return house.IsKept ? [.. results.SkipLast(1), results[^1] with { KeptHome = house.Home }] : results;
    }

    private async Task<KillResult> KillAsync(House house, KillOrder order)
    {
        var scene = new Scene(house, timeline, new Random(order.Seed));
        await order.Point.PrepareAsync(scene);
        scene.BeginNothingMore();
        await house.KillAsync();
        await scene.EndAsync();
        _topUps.AddRange(scene.TopUps);
        await KillStartsAsync(house, order, order.Point.KilledStarts);
        await house.StartAsync();
        var books = house.Store.Read();
        var violations = BookRules.Violations(books, _topUps)
            .Concat(scene.Calls.SelectMany(call => CallRules.Violations(call, books, scene.Before, order.Point.End)))
            .Concat(await BookRules.MemoryViolationsAsync(house, books))
            .ToList();
        await RepeatTopUpsAsync(house);
        return new KillResult(order, [.. scene.Calls.Select(call => CallRules.KindOf(call, books))], violations);
    }

    /// <summary>Before ccp listens, or just as it does.</summary>
    private async Task KillStartsAsync(House house, KillOrder order, int count)
    {
        var scene = new Scene(house, timeline, new Random(~order.Seed));
        for (var start = 0; start < count; start++)
        {
            house.StartWithoutWaiting();
            scene.SpinFor(TimeSpan.FromMilliseconds(60));
            await house.KillAsync();
        }
    }

    /// <summary>An operator who was not told whether a top-up stands asks again with the same reference.</summary>
    private async Task RepeatTopUpsAsync(House house)
    {
        foreach (var topUp in _topUps.Where(topUp => !topUp.IsConfirmed))
        {
            topUp.IsConfirmed = await house.TopUpAsync(topUp);
        }
    }

    /// <summary>With nothing in the way every call must be charged exactly.</summary>
    private async Task<KillResult> EndQuietlyAsync(House house, KillOrder last)
    {
        var scene = new Scene(house, timeline, new Random(last.Seed));
        for (var at = 0; at < QuietCalls; at++)
        {
            scene.Begin(number => number % 4 == 0 ? CallPlan.Whole(number) : CallPlan.Stream(number, pieces: 6));
        }

        await scene.EndAsync();
        var problem = await house.StopAsync();
        var books = house.Store.Read();
        var violations = BookRules.Violations(books, _topUps).Concat(scene.Calls.SelectMany(call => CallRules.Violations(call, books, null, ProcessEnd.Stopped))).ToList();
        if (problem is not null)
        {
            violations.Add(problem);
        }

        return new KillResult(last with { Point = KillOrder.ProperEnd }, [.. scene.Calls.Select(call => CallRules.KindOf(call, books))], violations);
    }
}
