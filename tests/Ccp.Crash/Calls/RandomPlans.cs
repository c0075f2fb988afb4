using Ccp.Crash.Servers;

namespace Ccp.Crash.Calls;

/// <summary>Calls of every kind and every way to end, from one seed.</summary>
internal sealed class RandomPlans(int seed)
{
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();
    private int _topUps;

    /// <summary>The most that passes between two steps of an answer.</summary>
    public TimeSpan PaceMax { get; init; } = TimeSpan.FromMilliseconds(12);

    public int PiecesMax { get; init; } = 12;

    /// <summary>One in so many answers comes as fast as it can.</summary>
    public int UnpacedOneIn { get; init; } = 3;

    public CallPlan Next(int number)
    {
        lock (_lock)
        {
            var plan = _random.Next(4) == 0 ? CallPlan.Whole(number) : CallPlan.Stream(number, 1 + _random.Next(PiecesMax));
            plan = plan with { Pace = _random.Next(UnpacedOneIn) == 0 ? TimeSpan.Zero : Part(PaceMax) };
            return _random.Next(10) switch
            {
                0 => plan with { IsOverloaded = true },

                // A JSON that is all there is no cut answer: its connection would be used again, and break under a call that has nothing to do with it.
                1 => plan with { CutAfter = _random.Next(plan.Steps.Count - (plan.IsStream ? 0 : 1)) },
                2 or 3 => plan with { LeavesAfter = Part(PaceMax * plan.Steps.Count) },
                _ => plan,
            };
        }
    }

    public TopUp NextTopUp(IReadOnlyList<string> users)
    {
        lock (_lock)
        {
            return new TopUp(users[_random.Next(users.Count)], $"{1 + _random.Next(99)}.5", $"top-up-{seed}-{++_topUps}");
        }
    }

    private TimeSpan Part(TimeSpan most) => TimeSpan.FromMicroseconds(_random.NextInt64((long)most.TotalMicroseconds));
}
