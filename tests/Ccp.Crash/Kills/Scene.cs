using System.Diagnostics;
using Ccp.Crash.Audit;
using Ccp.Crash.Calls;
using Ccp.Crash.Servers;
using Ccp.ScriptedUpstream;

namespace Ccp.Crash.Kills;

/// <summary>What is under way in one house when it is about to be killed.</summary>
internal sealed class Scene(House house, Timeline timeline, Random random)
{
    /// <summary>Longer than any wait of a healthy ccp on a busy machine.</summary>
    private static readonly TimeSpan GetsThereWithin = TimeSpan.FromSeconds(30);

    private readonly List<Call> _calls = [];
    private readonly List<Task> _clients = [];
    private readonly List<TopUp> _topUps = [];
    private readonly Lock _lock = new();
    private volatile bool _isEnding;

    public Random Random { get; } = random;

    /// <summary>The store a moment before the kill; null where looking would have taken too long.</summary>
    public StoreView? Before { get; private set; }

    public IReadOnlyList<Call> Calls => _calls;

    public IReadOnlyList<TopUp> TopUps => _topUps;

    public House House { get; } = house;

    public Call Begin(Func<int, CallPlan> plan, Func<CallPlan, int>? waitsFor = null)
    {
        var (call, client) = BeginOne(plan, waitsFor);
        lock (_lock)
        {
            _clients.Add(client);
        }

        return call;
    }

    /// <summary>Keeps this many calls going, one after the other, each as <paramref name="plan"/> says, until the kill.</summary>
    public void KeepGoing(int callers, Func<int, CallPlan> plan)
    {
        for (var caller = 0; caller < callers; caller++)
        {
            _clients.Add(Task.Run(async () =>
            {
                while (!_isEnding)
                {
                    await BeginOne(plan, null).Client;
                }
            }));
        }
    }

    /// <summary>Tops up, one user after the other, until the kill.</summary>
    public void KeepToppingUp(Func<TopUp> next) => _clients.Add(Task.Run(async () =>
    {
        while (!_isEnding)
        {
            var topUp = next();
            lock (_lock)
            {
                _topUps.Add(topUp);
            }

            topUp.IsConfirmed = await House.TopUpAsync(topUp);
        }
    }));

    public static async Task UntilOpenAsync(IEnumerable<Gate> gates)
    {
        using var limit = new CancellationTokenSource(GetsThereWithin);
        foreach (var gate in gates)
        {
            await gate.WaitAsync(limit.Token);
        }
    }

    /// <summary>Returns, without a timer's delay, when this many of the gates are open.</summary>
    public static void SpinUntilOpen(IReadOnlyList<Gate> gates, int count)
    {
        var until = Stopwatch.GetTimestamp() + (long)(GetsThereWithin.TotalSeconds * Stopwatch.Frequency);
        while (gates.Count(gate => gate.IsOpen) < count && Stopwatch.GetTimestamp() < until)
        {
            Thread.Yield();
        }
    }

    /// <summary>Looks into the store again and again until it is as expected.</summary>
    public async Task UntilStoredAsync(Func<StoreView, bool> isAsExpected)
    {
        using var limit = new CancellationTokenSource(GetsThereWithin);
        while (!isAsExpected(House.Store.Glance()))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), limit.Token);
        }
    }

    public void Glance() => Before = House.Store.Glance();

    /// <summary>Lets a time pass that is too short for a timer.</summary>
    public void SpinFor(TimeSpan atMost)
    {
        var until = Stopwatch.GetTimestamp() + (long)(Random.NextDouble() * atMost.TotalSeconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < until)
        {
            Thread.SpinWait(20);
        }
    }

    /// <summary>What is under way goes on; nothing more is begun.</summary>
    public void BeginNothingMore() => _isEnding = true;

    /// <summary>Every call ends, by itself or because the process has.</summary>
    public async Task EndAsync()
    {
        await Task.WhenAll(_clients);
        _calls.ForEach(timeline.Forget);
    }

    private (Call Call, Task Client) BeginOne(Func<int, CallPlan> plan, Func<CallPlan, int>? waitsFor)
    {
        var number = timeline.NextNumber();
        var planned = plan(number);
        var call = new Call(planned, House.Users[number % House.Users.Count]) { WaitsForStep = waitsFor?.Invoke(planned) ?? int.MaxValue };
        timeline.Expect(call);
        lock (_lock)
        {
            _calls.Add(call);
        }

        return (call, House.CallAsync(call));
    }
}
