using System.Collections.Concurrent;
using Ccp.Crash.Audit;
using Ccp.Crash.Calls;
using Ccp.Crash.Servers;

namespace Ccp.Crash.Soak;

/// <summary>Streams that come and go, in every way they can, and top-ups; each call is judged and forgotten soon after its end.</summary>
internal sealed class SoakLoad(House house, Timeline timeline, int seed) : IDisposable
{
    /// <summary>The last user gets by on pennies: his calls are refused, and his streams ended, again and again.</summary>
    private const string PoorTopUp = "0.05";

    /// <summary>A call whose client left early may run on for half a minute, and is charged after that.</summary>
    private static readonly TimeSpan JudgedAfter = TimeSpan.FromSeconds(45);

    private readonly RandomPlans _plans = new(seed) { PaceMax = TimeSpan.FromMilliseconds(100), PiecesMax = 150, UnpacedOneIn = 50 };
    private readonly ConcurrentQueue<(DateTimeOffset At, Call Call)> _over = new();
    private readonly List<TopUp> _topUps = [];
    private readonly List<Task> _tasks = [];
    private readonly CancellationTokenSource _ending = new();
    private int _judged;
    private int _refused;

    public IReadOnlyList<TopUp> TopUps => _topUps;

    public int Judged => _judged;

    /// <summary>For want of money.</summary>
    public int Refused => _refused;

    private string Poor => house.Users[^1];

    public async Task BeginAsync(int streams)
    {
        foreach (var user in house.Users.SkipLast(1))
        {
            await TopUpAsync(new TopUp(user, "100000", $"first-of-{user}"));
        }

        for (var at = 0; at < streams; at++)
        {
            _tasks.Add(Task.Run(KeepCallingAsync));
        }

        _tasks.Add(Task.Run(KeepToppingUpAsync));
    }

    /// <summary>What is wrong with the calls that have been over for a while.</summary>
    public List<string> Judge(DateTimeOffset now)
    {
        var ripe = new List<Call>();
        while (_over.TryPeek(out var oldest) && oldest.At <= now - JudgedAfter && _over.TryDequeue(out oldest))
        {
            ripe.Add(oldest.Call);
        }

        var books = house.Store.Glance(since: now - (JudgedAfter * 4));
        return Judge(ripe, books);
    }

    /// <summary>No call is begun any more; returns when all have ended.</summary>
    public async Task EndAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_tasks);
    }

    public void Dispose() => _ending.Dispose();

    /// <summary>What is wrong with the rest, once ccp has ended.</summary>
    public List<string> JudgeRest(StoreView books) => Judge([.. _over.Select(entry => entry.Call)], books);

    private List<string> Judge(List<Call> calls, StoreView books)
    {
        calls.ForEach(timeline.Forget);
        _judged += calls.Count;
        return [.. calls.SelectMany(call => CallRules.Violations(call, books, null, ProcessEnd.Stopped))];
    }

    private async Task KeepCallingAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            var number = timeline.NextNumber();
            var user = house.Users[number % house.Users.Count];
            var call = new Call(_plans.Next(number), user) { MayRunDry = user == Poor };
            timeline.Expect(call);
            await house.CallAsync(call);
            _over.Enqueue((DateTimeOffset.UtcNow, call));
            if (call.HasRunDry)
            {
                // As a client does that has been refused: it does not ask again at once.
                Interlocked.Increment(ref _refused);
                await PauseAsync(TimeSpan.FromMilliseconds(500));
            }
        }
    }

    private async Task KeepToppingUpAsync()
    {
        var count = 0;
        while (!_ending.IsCancellationRequested)
        {
            await TopUpAsync(_plans.NextTopUp([.. house.Users.SkipLast(1)]));
            await TopUpAsync(new TopUp(Poor, PoorTopUp, $"pennies-{++count}"));
            await PauseAsync(TimeSpan.FromSeconds(1));
        }
    }

    private async Task TopUpAsync(TopUp topUp)
    {
        topUp.IsConfirmed = await house.TopUpAsync(topUp);
        _topUps.Add(topUp);
    }

    private async Task PauseAsync(TimeSpan time)
    {
        try
        {
            await Task.Delay(time, _ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The end of the run is the end of the pause.
        }
    }
}
