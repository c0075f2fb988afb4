using System.Globalization;

namespace Ccp.Configuration;

/// <summary>Durations and sizes: a whole number and a unit, and back.</summary>
internal static class Quantities
{
    private static readonly (string Unit, TimeSpan Length)[] Durations =
    [
        // "ms" before "s" and "m": the first unit that fits the ending is taken.
        ("ms", TimeSpan.FromMilliseconds(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("m", TimeSpan.FromMinutes(1)),
        ("h", TimeSpan.FromHours(1)),
        ("d", TimeSpan.FromDays(1)),
    ];

    private static readonly (string Unit, long Bytes)[] Sizes =
    [
        ("KiB", 1L << 10),
        ("MiB", 1L << 20),
        ("GiB", 1L << 30),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
        ("", 1),
    ];

    /// <summary>Reads <c>500ms</c>, <c>90s</c>, <c>5m</c>, <c>5h</c>, <c>90d</c>.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        foreach (var (unit, length) in Durations)
        {
            if (TryReadCount(text, unit, out var count))
            {
                // At most nine digits of days: far inside what a TimeSpan of ticks can be asked to refuse, not to overflow on.
                var fits = count <= TimeSpan.MaxValue.Ticks / length.Ticks;
                duration = fits ? length * count : default;
                return fits;
            }
        }

        duration = default;
        return false;
    }

    /// <summary>Reads <c>32MiB</c>, <c>20MB</c>, <c>64KiB</c>, or a bare number of bytes.</summary>
    public static bool TryParseBytes(string text, out long bytes)
    {
        foreach (var (unit, worth) in Sizes)
        {
            if (TryReadCount(text, unit, out var count))
            {
                bytes = count * worth;
                return true;
            }
        }

        bytes = 0;
        return false;
    }

    public static string Format(TimeSpan duration)
    {
        var (unit, length) = Durations.Last(candidate => duration.Ticks % candidate.Length.Ticks == 0 && (candidate.Length <= duration || candidate.Unit == "s"));
        return $"{duration.Ticks / length.Ticks}{unit}";
    }

    public static string Format(long bytes)
    {
        var (unit, worth) = Sizes[..3].LastOrDefault(candidate => bytes >= candidate.Bytes && bytes % candidate.Bytes == 0, ("", 1));
        return $"{bytes / worth}{unit}";
    }

    private static bool TryReadCount(string text, string unit, out long count)
    {
        count = 0;
        var digits = text.EndsWith(unit, StringComparison.Ordinal) ? text.AsSpan(0, text.Length - unit.Length) : [];
        return digits.Length is > 0 and <= 9 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count);
    }
}
