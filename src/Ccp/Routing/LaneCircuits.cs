using System.Collections.Frozen;
using Ccp.Configuration;
using Microsoft.Extensions.Logging;

namespace Ccp.Routing;

/// <summary>The circuit of every lane.</summary>
internal sealed class LaneCircuits(IReadOnlyList<LaneConfig> lanes, TimeProvider time, ILogger log)
{
    private static readonly FrozenDictionary<string, LaneOutage> NoneDown = FrozenDictionary<string, LaneOutage>.Empty;

    private readonly LaneCircuit[] _all = [.. lanes.Select(lane => new LaneCircuit(lane.Name, time, log))];

    /// <summary>The lanes that are down at this moment; the same empty object as long as there is none.</summary>
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

    public LaneCircuit Of(LaneConfig lane)
    {
        foreach (var circuit in _all)
        {
            if (circuit.Lane == lane.Name)
            {
                return circuit;
            }
        }

        throw new ArgumentException($"There is no lane {lane.Name}.", nameof(lane));
    }
}
