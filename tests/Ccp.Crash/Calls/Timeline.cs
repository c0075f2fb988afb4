using System.Collections.Concurrent;
using Ccp.ScriptedUpstream;

namespace Ccp.Crash.Calls;

/// <summary>The upstream of every ccp under test. It alone decides when what is sent, and so says at any moment how far each call can have come.</summary>
internal sealed class Timeline : IAsyncDisposable
{
    private const string SessionHeader = "x-claude-code-session-id";

    private readonly ConcurrentDictionary<string, Call> _calls = new();
    private ScriptedUpstreamServer? _server;
    private int _numbers;

    private Timeline()
    {
    }

    public Uri Address => _server!.BaseUrl;

    /// <summary>What went wrong in the scripts themselves.</summary>
    public IReadOnlyList<Exception> Faults => _server!.Faults;

    public static async Task<Timeline> StartAsync()
    {
        var timeline = new Timeline();
        timeline._server = await ScriptedUpstreamServer.StartAsync(timeline.Answer, new UpstreamOptions { KeepsRequests = false });
        return timeline;
    }

    /// <summary>A number no other call of this run has.</summary>
    public int NextNumber() => Interlocked.Increment(ref _numbers);

    public void Expect(Call call) => _calls[call.Plan.Session] = call;

    public void Forget(Call call) => _calls.TryRemove(call.Plan.Session, out _);

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    // A request may come through after the process that sent it was killed, and its call forgotten: nobody waits for an answer to that.
    private Script Answer(RecordedRequest request) => request.Header(SessionHeader) is not { } session
        ? throw new InvalidOperationException("A request came without the name of its call.")
        : _calls.TryGetValue(session, out var call) ? ScriptOf(call) : Script.Stall();

    private static Script ScriptOf(Call call)
    {
        var plan = call.Plan;
        if (plan.IsOverloaded)
        {
            return Answers.Overloaded();
        }

        var script = Script.Begin;
        for (var step = 0; step < plan.Steps.Count; step++)
        {
            var sends = step;
            script = PauseBefore(script, call, step).Do(() => call.Sent = sends).Then(step == 0 ? HeadOf(plan) : Script.Begin.Send(plan.Steps[step].Text));
            if (plan.CutAfter == step)
            {
                return script.Cut();
            }
        }

        return PauseBefore(script, call, plan.Steps.Count);
    }

    private static Script PauseBefore(Script script, Call call, int step)
    {
        var paced = call.Plan.Pace == TimeSpan.Zero ? script : script.Delay(call.Plan.Pace);
        return call.Plan.PausesBefore == step ? paced.Signal(call.Paused).WaitFor(call.MayGoOn) : paced;
    }

    private static Script HeadOf(CallPlan plan) => plan.IsStream
        ? Answers.BeginStream()
        : Script.Head(200, ("content-type", "application/json"), ("content-length", $"{plan.Steps.Sum(step => step.Text.Length)}"));
}
