using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ccp.Configuration;

namespace Ccp.Identity;

/// <summary>A user's own limits as the store keeps them: the members that are set, in the form that <see cref="LimitsChange"/> reads.</summary>
internal static class LimitsJson
{
    /// <summary>A limit's name for people: <c>spend per day</c> for spendPerDay, which the command line calls --spend-per-day and the file spend_per_day.</summary>
    public static string Words(string name) => string.Concat(name.Select(letter => char.IsAsciiLetterUpper(letter) ? $" {char.ToLowerInvariant(letter)}" : letter.ToString()));

    /// <returns>Null when nothing is set.</returns>
    public static string? Write(StatedLimits limits)
    {
        if (limits == StatedLimits.None)
        {
            return null;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        WriteNumber(json, "concurrent", limits.Concurrent);
        WriteNumber(json, "requestsPerMinute", limits.RequestsPerMinute);
        WriteNumber(json, "tokensPerMinute", limits.TokensPerMinute);
        WriteNumber(json, "spendPerDay", limits.SpendPerDay?.ToUsd());
        WriteNumber(json, "spendPerMonth", limits.SpendPerMonth?.ToUsd());
        WriteList(json, "models", limits.Models);
        WriteList(json, "allowFrom", limits.AllowFrom?.Select(range => range.ToString()));
        if (limits.Expires is { } expires)
        {
            json.WriteString("expires", Moment(expires));
        }

        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <exception cref="FormatException">The text was not written by <see cref="Write"/>.</exception>
    public static StatedLimits Read(string? text)
    {
        if (text is null)
        {
            return StatedLimits.None;
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return LimitsChange.Parse(document.RootElement).On(StatedLimits.None);
        }
        catch (JsonException error)
        {
            throw new FormatException("It is no JSON.", error);
        }
    }

    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static void WriteNumber(Utf8JsonWriter json, string name, decimal? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string>? texts)
    {
        if (texts is null)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
