using Ccp.Crash.Audit;
using Ccp.Crash.Calls;

namespace Ccp.Crash.Kills;

/// <summary>All the moments.</summary>
internal static class KillPoints
{
    private const int CallsAtOnce = 4;
    private const int CallsInBurst = 64;

    public static IReadOnlyList<KillPoint> All { get; } =
    [
        AtStep("stream: before the head", _ => 0, _ => CallPlan.NoStep),
        AtStep("stream: after the head", _ => 1, _ => 0),
        AtStep("stream: after message_start", _ => 2, _ => 1),
        AtStep("stream: in the text", InTheText, plan => InTheText(plan) - 1),
        AtStep("stream: in the text, checkpointed", InTheText, plan => InTheText(plan) - 1, UntilCheckpointedAsync),
        AtStep("stream: before the last message_delta", plan => plan.FinalUsageStep, plan => plan.FinalUsageStep - 1),
        AtStep("stream: after the last message_delta", plan => plan.FinalUsageStep + 1, plan => plan.FinalUsageStep),
        AtStep("stream: the last message_delta on disk", plan => plan.FinalUsageStep + 1, plan => plan.FinalUsageStep, UntilCheckpointedAsync),
        AtStep("stream: after message_stop", plan => plan.Steps.Count, plan => plan.Steps.Count - 1),
        AtStep("stream: after the end", null, plan => plan.Steps.Count),
        AtStep("stream: after the end, settled", null, plan => plan.Steps.Count, UntilSettledAsync),
        AtStep("whole: before the head", _ => 0, _ => CallPlan.NoStep, isStream: false),
        AtStep("whole: after the head", _ => 1, _ => 0, isStream: false),
        AtStep("whole: within the body", _ => 2, _ => 1, isStream: false),
        AtStep("whole: after the body", null, plan => plan.Steps.Count, isStream: false),
        AtStep("whole: after the body, settled", null, plan => plan.Steps.Count, UntilSettledAsync, isStream: false),
        new("64 holds at once", 5, scene => ReleaseAsync(scene, _ => 0, _ => 0)),
        new("64 settlements at once", 5, scene => ReleaseAsync(scene, plan => plan.FinalUsageStep, plan => plan.Steps.Count)),
        new("64-way load", 8, LoadAsync),
        new("while it recovers", 3, InTheMiddleAsync) { KilledStarts = 2 },
        new("while it drains", 2, DrainAsync) { End = ProcessEnd.KilledWhileDraining },
    ];

    public static KillPoint Named(string name) => All.Single(point => point.Name == name);

    /// <summary>A few calls that all stand at the same step.</summary>
    /// <param name="pause">Before which step the upstream waits; null: it goes on to the end.</param>
    /// <param name="seen">What the client has by then.</param>
    private static KillPoint AtStep(
        string name, Func<CallPlan, int>? pause, Func<CallPlan, int> seen, Func<Scene, Task>? untilAsync = null, bool isStream = true) => new(name, 2, async scene =>
    {
        for (var at = 0; at < CallsAtOnce; at++)
        {
            scene.Begin(number => Plan(number, isStream, pause), seen);
        }

        var calls = scene.Calls.ToList();
        if (pause is not null)
        {
            await Scene.UntilOpenAsync(calls.Select(call => call.Paused));
        }

        // Every other time ccp is killed while the bytes are on their way.
        if (untilAsync is not null || pause is null || scene.Random.Next(2) == 0)
        {
            await Scene.UntilOpenAsync(calls.Where(call => call.WaitsForStep >= 0).Select(call => call.Arrived));
        }

        if (untilAsync is not null)
        {
            await untilAsync(scene);
        }

        if (untilAsync is not null || scene.Random.Next(2) == 0)
        {
            scene.Glance();
        }

        scene.SpinFor(TimeSpan.FromMilliseconds(2));
    });

    private static CallPlan Plan(int number, bool isStream, Func<CallPlan, int>? pause)
    {
        var plan = isStream ? CallPlan.Stream(number, pieces: 6) : CallPlan.Whole(number);
        return pause is null ? plan : plan with { PausesBefore = pause(plan) };
    }

    private static int InTheText(CallPlan plan) => plan.FinalUsageStep / 2;

    /// <summary>Without this the kill would come within the second that a checkpoint may be late.</summary>
    private static Task UntilCheckpointedAsync(Scene scene) => scene.UntilStoredAsync(store =>
        scene.Calls.All(call => store.Holds.TryGetValue(call.Plan.Session, out var amount) && amount == call.Plan.ChargeAfter(call.Sent)));

    private static Task UntilSettledAsync(Scene scene) => scene.UntilStoredAsync(store => scene.Calls.All(call => store.RequestsBySession[call.Plan.Session].Any()));

    /// <summary>Calls that all come to their next write in the same moment: the kill falls into the groups the writer commits.</summary>
    private static async Task ReleaseAsync(Scene scene, Func<CallPlan, int> pause, Func<CallPlan, int> seen)
    {
        for (var at = 0; at < CallsInBurst; at++)
        {
            scene.Begin(number => Plan(number, isStream: number % 4 != 0, pause), seen);
        }

        var calls = scene.Calls.ToList();
        await Scene.UntilOpenAsync(calls.Select(call => call.Paused));
        calls.ForEach(call => call.MayGoOn.Open());

        // Every other time the moment is counted in calls that have come through, whatever the machine's pace.
        if (scene.Random.Next(2) == 0)
        {
            Scene.SpinUntilOpen([.. calls.Select(call => call.Arrived)], 1 + scene.Random.Next(CallsInBurst));
            scene.SpinFor(TimeSpan.FromMilliseconds(1));
        }
        else
        {
            scene.SpinFor(TimeSpan.FromMilliseconds(30));
        }
    }

    private static async Task LoadAsync(Scene scene)
    {
        var loads = new RandomPlans(scene.Random.Next());
        scene.KeepGoing(CallsInBurst, loads.Next);
        scene.KeepToppingUp(() => loads.NextTopUp(scene.House.Users));
        await Task.Delay(TimeSpan.FromMilliseconds(20 + scene.Random.Next(400)));
        if (scene.Random.Next(2) == 0)
        {
            scene.Glance();
        }

        scene.SpinFor(TimeSpan.FromMilliseconds(2));
    }

    private static async Task InTheMiddleAsync(Scene scene)
    {
        for (var at = 0; at < CallsInBurst; at++)
        {
            scene.Begin(number => Plan(number, isStream: number % 4 != 0, plan => Math.Max(2, InTheText(plan))), plan => Math.Max(2, InTheText(plan)) - 1);
        }

        await Scene.UntilOpenAsync(scene.Calls.ToList().Select(call => call.Arrived));
        scene.Glance();
    }

    private static async Task DrainAsync(Scene scene)
    {
        await InTheMiddleAsync(scene);
        scene.House.Process.Terminate();
        scene.SpinFor(TimeSpan.FromMilliseconds(200));
    }
}
