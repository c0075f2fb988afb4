using System.Globalization;

namespace Ccp.Configuration.Toml;

/// <summary>Dates and times in the forms of RFC 3339, with or without an offset.</summary>
/// <remarks>Not held: the year 0000 and a leap second, which .NET's types have no room for. Both are refused.</remarks>
internal static class TomlDateTimes
{
    private const int DateLength = 10;
    private const int TimeLength = 8;

    public static bool LooksLikeDate(ReadOnlySpan<char> word) => word.Length == DateLength && word[4] == '-' && word[7] == '-';

    /// <returns>Null when <paramref name="word"/> is no date or time, or one that the calendar or the clock does not have.</returns>
    public static TomlDateTime? TryRead(TomlPosition at, string word)
    {
        var rest = word.AsSpan();
        if (!char.IsAsciiDigit(rest.IsEmpty ? '\0' : rest[0]))
        {
            return null;
        }

        if (rest.Length > 2 && rest[2] == ':')
        {
            return TryTakeTime(ref rest, out var only) && rest.IsEmpty ? new TomlDateTime(at, word, null, only, null) : null;
        }

        if (rest.Length < DateLength || !TryReadDate(rest[..DateLength], out var date))
        {
            return null;
        }

        rest = rest[DateLength..];
        if (rest.IsEmpty)
        {
            return new TomlDateTime(at, word, date, null, null);
        }

        if (rest[0] is not ('T' or 't' or ' '))
        {
            return null;
        }

        rest = rest[1..];
        if (!TryTakeTime(ref rest, out var time))
        {
            return null;
        }

        if (rest.IsEmpty)
        {
            return new TomlDateTime(at, word, date, time, null);
        }

        return TryReadOffset(rest, out var offset) ? new TomlDateTime(at, word, date, time, offset) : null;
    }

    private static bool TryReadDate(ReadOnlySpan<char> text, out DateOnly date) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out date);

    private static bool TryTakeTime(ref ReadOnlySpan<char> rest, out TimeOnly time)
    {
        time = default;
        if (rest.Length < TimeLength
            || !TimeOnly.TryParseExact(rest[..TimeLength], "HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out time))
        {
            return false;
        }

        rest = rest[TimeLength..];
        if (rest.IsEmpty || rest[0] != '.')
        {
            return true;
        }

        rest = rest[1..];
        var length = 0;
        long ticks = 0;
        for (var worth = TimeSpan.TicksPerSecond / 10; length < rest.Length && char.IsAsciiDigit(rest[length]); length++, worth /= 10)
        {
            ticks += (rest[length] - '0') * worth;
        }

        time = time.Add(new TimeSpan(ticks));
        rest = rest[length..];
        return length > 0;
    }

    private static bool TryReadOffset(ReadOnlySpan<char> text, out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        if (text is "Z" or "z")
        {
            return true;
        }

        if (text.Length != 6 || text[0] is not ('+' or '-')
            || !TimeOnly.TryParseExact(text[1..], "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var distance))
        {
            return false;
        }

        offset = text[0] == '-' ? -distance.ToTimeSpan() : distance.ToTimeSpan();
        return true;
    }
}
