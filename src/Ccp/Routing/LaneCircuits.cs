using System.Collections.Frozen;
using Ccp.Configuration;
using Microsoft.Extensions.Logging;

namespace Ccp.Routing;

/// <summary>The circuit of every lane.</summary>
internal sealed class LaneCircuits
{
    private static readonly FrozenDictionary<string, LaneOutage> NoneDown = FrozenDictionary<string, LaneOutage>.Empty;

    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private volatile LaneCircuit[] _all;

    public LaneCircuits(IReadOnlyList<LaneConfig> lanes, TimeProvider time, ILogger log)
    {
        _time = time;
        _log = log;
        _all = [.. lanes.Select(New)];
    }

    /// <summary>The lanes that have not answered since they went down; the same empty object as long as there is none.</summary>
    public IReadOnlyDictionary<string, LaneOutage> Down
    {
        get
        {
            Dictionary<string, LaneOutage>? down = null;
            foreach (var circuit in _all)
            {
                if (circuit.Outage is { } outage)
                {
                    (down ??= new Dictionary<string, LaneOutage>(StringComparer.Ordinal)).Add(circuit.Lane, outage);
                }
            }

            return (IReadOnlyDictionary<string, LaneOutage>?)down ?? NoneDown;
        }
    }

    /// <summary>For people: how each lane is.</summary>
    public Dictionary<string, string> Shown => _all.ToDictionary(circuit => circuit.Lane, circuit => circuit.Shown, StringComparer.Ordinal);

    public IEnumerable<(string Lane, bool IsOpen)> Open => _all.Select(circuit => (circuit.Lane, circuit.IsOpen));

    /// <summary>Takes up lanes that came, or that are elsewhere now, and forgets those that went; how the others are is not forgotten.</summary>
    public void Follow(IReadOnlyList<LaneConfig> lanes)
    {
        var known = _all;
        _all = [.. lanes.Select(lane => Array.Find(known, circuit => circuit.Lane == lane.Name && circuit.Address == lane.BaseUrl) ?? New(lane))];
    }

    /// <summary>For a call that began before its lane went, one that nobody else looks at.</summary>
    public LaneCircuit Of(LaneConfig lane)
    {
        foreach (var circuit in _all)
        {
            if (circuit.Lane == lane.Name)
            {
                return circuit;
            }
        }

        return New(lane);
    }

    private LaneCircuit New(LaneConfig lane) => new(lane.Name, lane.BaseUrl, _time, _log);
}
