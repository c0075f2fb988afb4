using System.Collections.Concurrent;

namespace Ccp.Forwarding;

/// <summary>The answers being relayed now. Ticks once a second, so that a silent stream is looked at too.</summary>
internal sealed class ActiveRelays : IDisposable
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<ResponseRelay, bool> _relays = new();
    private readonly ITimer _timer;

    public ActiveRelays(TimeProvider time)
    {
        _timer = time.CreateTimer(static relays => ((ActiveRelays)relays!).WakeAll(), this, TickEvery, TickEvery);
    }

    public int Count => _relays.Count;

    public void Add(ResponseRelay relay) => _relays[relay] = true;

    public void Remove(ResponseRelay relay) => _relays.TryRemove(relay, out _);

    /// <summary>Ends every answer that is still under way, with an error event where the form allows one.</summary>
    public void ShutDownAll()
    {
        foreach (var relay in _relays.Keys)
        {
            relay.ShutDown();
        }
    }

    public void Dispose() => _timer.Dispose();

    private void WakeAll()
    {
        foreach (var relay in _relays.Keys)
        {
            relay.Wake();
        }
    }
}
