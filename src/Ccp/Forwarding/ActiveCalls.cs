using System.Collections.Concurrent;

namespace Ccp.Forwarding;

/// <summary>The calls that an upstream is working on now. Ticks once a second, so that a silent stream is looked at too.</summary>
internal sealed class ActiveCalls : IDisposable
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);

    /// <summary>With the relay of each answer that has begun.</summary>
    private readonly ConcurrentDictionary<CallStop, ResponseRelay?> _calls = new();
    private readonly ITimer _timer;

    public ActiveCalls(TimeProvider time)
    {
        _timer = time.CreateTimer(static calls => ((ActiveCalls)calls!).WakeAll(), this, TickEvery, TickEvery);
    }

    public int Count => _calls.Count;

    public void Add(CallStop call) => _calls[call] = null;

    public void AnswerHasBegun(CallStop call, ResponseRelay relay) => _calls[call] = relay;

    public void Remove(CallStop call) => _calls.TryRemove(call, out _);

    /// <summary>The process ends: every call that is still under way stops, with an error event or a refusal where the form allows one.</summary>
    public void ShutDownAll()
    {
        foreach (var call in _calls.Keys)
        {
            call.Stop(RelayEnd.ShutDown);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void WakeAll()
    {
        foreach (var (_, relay) in _calls)
        {
            relay?.Wake();
        }
    }
}
