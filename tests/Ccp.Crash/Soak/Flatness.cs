using System.Globalization;

namespace Ccp.Crash.Soak;

/// <summary>Whether what ccp takes has stopped growing. The start, while pools fill and the collector finds its size, is not looked at.</summary>
internal sealed class Flatness
{
    private const long ResidentGrowthMax = 16 * 1024 * 1024;
    private const int DescriptorGrowthMax = 50;
    private const long WriteAheadMax = 64 * 1024 * 1024;
    private const long StoreBytesPerCallMax = 3 * 1024;

    private readonly List<string> _lines = [];
    private readonly List<string> _problems = [];

    private Flatness()
    {
    }

    /// <summary>What to print, the verdict last.</summary>
    public IReadOnlyList<string> Lines => _lines;

    public IReadOnlyList<string> Problems => _problems;

    /// <param name="samples">At even distances over the whole run.</param>
    /// <param name="calls">How many the store has records of.</param>
    public static Flatness Of(IReadOnlyList<Sample> samples, int calls)
    {
        var judged = samples.Skip(samples.Count / 4).ToList();
        var window = Math.Max(1, judged.Count / 5);
        var (start, middle, end) = (judged.Take(window).ToList(), judged.Skip((judged.Count - window) / 2).Take(window).ToList(), judged.TakeLast(window).ToList());
        var flatness = new Flatness();
        flatness._lines.Add("Medians after the first quarter, which is for warming up:");
        flatness.Add("memory", "MB", 1024 * 1024, sample => sample.Resident, ResidentGrowthMax, start, middle, end);
        flatness.Add("descriptors", "", 1, sample => sample.Descriptors, DescriptorGrowthMax, start, middle, end);
        flatness.Check("write-ahead log, the largest", samples.Max(sample => sample.WriteAhead), WriteAheadMax, "bytes");
        flatness.Check("store, for each call recorded", samples[^1].Store / Math.Max(1, calls), StoreBytesPerCallMax, "bytes");
        flatness._lines.Add(flatness._problems.Count == 0 ? "flat" : $"not flat: {string.Join(", ", flatness._problems)}");
        return flatness;
    }

    private void Add(string name, string unit, long scale, Func<Sample, long> value, long growthMax, params List<Sample>[] windows)
    {
        var medians = windows.Select(window => window.Select(value).Order().ElementAt(window.Count / 2)).ToArray();
        string Text(long amount) => (amount / (decimal)scale).ToString("0.#", CultureInfo.InvariantCulture);
        _lines.Add($"  {name}: start {Text(medians[0])}, middle {Text(medians[1])}, end {Text(medians[2])} {unit}; may grow by {Text(growthMax)}".Replace(" ;", ";", StringComparison.Ordinal));
        if (medians[^1] - medians[0] > growthMax)
        {
            _problems.Add(name);
        }
    }

    private void Check(string name, long value, long most, string unit)
    {
        _lines.Add($"  {name}: {value.ToString(CultureInfo.InvariantCulture)} of at most {most.ToString(CultureInfo.InvariantCulture)} {unit}");
        if (value > most)
        {
            _problems.Add(name);
        }
    }
}
