namespace Ccp.Bench.Client;

/// <summary>Everything that should have been answered and was not, and what else was found wrong.</summary>
internal sealed class Unserved
{
    private const int ReasonsMax = 10;

    private readonly Lock _lock = new();
    private readonly List<string> _reasons = [];
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

    /// <summary>The first ones.</summary>
    public IReadOnlyList<string> Reasons
    {
        get
        {
            lock (_lock)
            {
                return [.. _reasons];
            }
        }
    }

    public void Add(string reason)
    {
        lock (_lock)
        {
            _count++;
            if (_reasons.Count < ReasonsMax)
            {
                _reasons.Add(reason);
            }
        }
    }
}
