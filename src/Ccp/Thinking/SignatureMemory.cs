namespace Ccp.Thinking;

/// <param name="Hash"><see cref="SignatureHash"/> of the signature.</param>
/// <param name="Lane">That the block came from.</param>
internal readonly record struct SignedBlock(UInt128 Hash, string Lane, DateTimeOffset Expires);

/// <summary>Which lane signed which thinking block. Bounded; asked and told in the path of calls, from any thread, without I/O.</summary>
/// <remarks>
/// A block is forgotten <see cref="Lifetime"/> after it was last seen, in an answer or in a request, or earlier when there are too many: the one seen longest ago first.
/// A conversation that goes on keeps its blocks known, so what is taken out of it once is taken out every time.
/// </remarks>
internal sealed class SignatureMemory(int countMax, TimeProvider time)
{
    /// <summary>Longer than people leave a conversation before they go on with it.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    /// <summary>A block that requests bring is put off this rarely: each time is a write to the store.</summary>
    public static readonly TimeSpan RenewsAfter = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, LinkedListNode<SignedBlock>> _known = [];

    /// <summary>By expiry, the next to go first.</summary>
    private readonly LinkedList<SignedBlock> _byExpiry = [];
    private readonly Dictionary<string, int> _countOf = new(StringComparer.Ordinal);
    private readonly Dictionary<UInt128, SignedBlock> _unwritten = [];

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _known.Count;
            }
        }
    }

    /// <summary>Takes up what the store holds.</summary>
    /// <param name="blocks">By expiry.</param>
    public void Load(IEnumerable<SignedBlock> blocks)
    {
        lock (_lock)
        {
            foreach (var block in blocks)
            {
                Keep(block);
            }

            DropOld();
        }
    }

    /// <summary>A block of this lane is on its way to a client.</summary>
    public void Note(UInt128 hash, string lane)
    {
        lock (_lock)
        {
            KeepFromNow(hash, lane);
            DropOld();
        }
    }

    /// <returns>Null when nobody knows.</returns>
    public string? LaneOf(UInt128 hash)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            if (!_known.TryGetValue(hash, out var found) || found.Value.Expires <= now)
            {
                return null;
            }

            var lane = found.Value.Lane;
            if (found.Value.Expires - now < Lifetime - RenewsAfter)
            {
                KeepFromNow(hash, lane);
            }

            return lane;
        }
    }

    /// <summary>Whether every block that is known came from this lane: then none can be foreign to it.</summary>
    public bool KnowsOnly(string lane)
    {
        lock (_lock)
        {
            return _known.Count == _countOf.GetValueOrDefault(lane);
        }
    }

    /// <summary>What the store does not have yet, and need not wait for.</summary>
    /// <param name="oldest">What expires before this is forgotten here, and may be there.</param>
    public List<SignedBlock> TakeUnwritten(int max, out DateTimeOffset oldest)
    {
        lock (_lock)
        {
            oldest = _byExpiry.First?.Value.Expires ?? time.GetUtcNow();
            var taken = _unwritten.Values.Take(max).ToList();
            taken.ForEach(block => _unwritten.Remove(block.Hash));
            return taken;
        }
    }

    /// <summary>They could not be written, and are to be once more.</summary>
    public void PutBack(List<SignedBlock> blocks)
    {
        lock (_lock)
        {
            foreach (var block in blocks.Where(block => _known.ContainsKey(block.Hash)))
            {
                // What has been noted since is newer.
                _unwritten.TryAdd(block.Hash, block);
            }
        }
    }

    private void KeepFromNow(UInt128 hash, string lane)
    {
        // Never before the last one: a clock that was set back must not put the list out of its order.
        var expires = time.GetUtcNow() + Lifetime;
        var block = new SignedBlock(hash, lane, _byExpiry.Last is { } last && last.Value.Expires > expires ? last.Value.Expires : expires);
        Keep(block);
        _unwritten[hash] = block;
    }

    private void Keep(SignedBlock block)
    {
        Drop(block.Hash);
        _known.Add(block.Hash, _byExpiry.AddLast(block));
        _countOf[block.Lane] = _countOf.GetValueOrDefault(block.Lane) + 1;
    }

    private void DropOld()
    {
        var now = time.GetUtcNow();
        while (_byExpiry.First is { } first && (_known.Count > countMax || first.Value.Expires <= now))
        {
            Drop(first.Value.Hash);
        }
    }

    private void Drop(UInt128 hash)
    {
        if (_known.Remove(hash, out var node))
        {
            _byExpiry.Remove(node);
            _countOf[node.Value.Lane]--;
            _unwritten.Remove(hash);
        }
    }
}
