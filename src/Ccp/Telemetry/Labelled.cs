namespace Ccp.Telemetry;

/// <summary>One <typeparamref name="T"/> for the values of up to two labels. Finding it takes no lock; only what is new is allocated, once.</summary>
/// <remarks>Nothing ever goes: values must come from the configuration or be ccp's own words, never be what a client sent.</remarks>
internal sealed class Labelled<T>
    where T : class, new()
{
    // Replaced as a whole, and never changed.
    private Dictionary<(string First, string Second), T> _all = [];

    /// <summary>In the order of their labels.</summary>
    public IEnumerable<(string First, string Second, T Value)> All => Volatile.Read(ref _all)
        .Select(each => (each.Key.First, each.Key.Second, each.Value))
        .OrderBy(each => each.First, StringComparer.Ordinal)
        .ThenBy(each => each.Second, StringComparer.Ordinal);

    public T Of(string first, string second = "")
    {
        while (true)
        {
            var all = Volatile.Read(ref _all);
            if (all.TryGetValue((first, second), out var known))
            {
                return known;
            }

            // Somebody else may be first; then theirs is found, or the rest is added to it, on the next turn.
            Interlocked.CompareExchange(ref _all, new Dictionary<(string First, string Second), T>(all) { [(first, second)] = new T() }, all);
        }
    }
}
