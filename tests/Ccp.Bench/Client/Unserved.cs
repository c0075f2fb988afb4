namespace Ccp.Bench.Client;

/// <summary>Everything that should have been answered and was not, and what else was found wrong.</summary>
internal sealed class Unserved
{
    private const int ReasonsMax = 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _timesOf = [];
    private int _count;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Each once, with how often it was so.</summary>
    public IReadOnlyList<string> Reasons
    {
        get
        {
            lock (_lock)
            {
                return [.. _timesOf.Select(reason => $"{reason.Value} × {reason.Key}")];
            }
        }
    }

    public void Add(string reason)
    {
        lock (_lock)
        {
            _count++;
            if (_timesOf.Count < ReasonsMax || _timesOf.ContainsKey(reason))
            {
                _timesOf[reason] = _timesOf.GetValueOrDefault(reason) + 1;
            }
        }
    }
}
