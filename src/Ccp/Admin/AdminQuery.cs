using System.Globalization;
using Ccp.Configuration;

namespace Ccp.Admin;

/// <summary>What stands behind the question mark. Errors: <see cref="AdminRefusedException"/> with status 400.</summary>
internal sealed class AdminQuery(IReadOnlyDictionary<string, string> values)
{
    private static readonly string[] Instants = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    public string? Text(string name) => values.GetValueOrDefault(name) is { Length: > 0 } text ? text : null;

    public long? Whole(string name, long min, long max)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw AdminRefusedException.Malformed($"{name} must be a whole number from {min} to {max}.");
    }

    /// <summary>The beginning of a period.</summary>
    public DateTimeOffset? Start(string name) => Instant(name, endOfDay: false);

    /// <summary>The end of a period, itself outside it: a day that is named belongs to the period.</summary>
    public DateTimeOffset? End(string name) => Instant(name, endOfDay: true);

    /// <summary>A day, an instant, or how long ago: <c>30d</c>.</summary>
    public DateTimeOffset? Since(string name, DateTimeOffset now)
    {
        if (Text(name) is not { } text || !Quantities.TryParseDuration(text, out var ago))
        {
            return Instant(name, endOfDay: false);
        }

        return ago < now - DateTimeOffset.UnixEpoch ? now - ago : DateTimeOffset.UnixEpoch;
    }

    private DateTimeOffset? Instant(string name, bool endOfDay)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day < DateOnly.MaxValue)
        {
            return new DateTimeOffset(endOfDay ? day.AddDays(1) : day, TimeOnly.MinValue, TimeSpan.Zero);
        }

        return DateTimeOffset.TryParseExact(text, Instants, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant
            : throw AdminRefusedException.Malformed($"{name} must be a day such as 2026-11-22 (UTC), an instant such as 2026-11-22T12:00:00Z, or, where a report begins, an age such as 30d.");
    }
}
