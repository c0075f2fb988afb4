using System.Text.Json;

namespace Ccp.Metering;

/// <summary>Reads what an answer cost that came as one JSON document instead of a stream.</summary>
/// <remarks>
/// Shape: a Message object with <c>model</c>, <c>content</c> and <c>usage</c>. The same numbers give the same reading as in a stream.
/// Errors: none, whatever the bytes. A document that breaks off is estimated from what came, if it is a message at all.
/// Source: https://docs.claude.com/en/api/messages (read 2026-08).
/// </remarks>
internal static class BodyUsage
{
    public static MeterReading Read(ReadOnlySpan<byte> json)
    {
        var message = new ReportedMessage();
        json = json.StartsWith("\uFEFF"u8) ? json["\uFEFF"u8.Length..] : json;
        var reader = new Utf8JsonReader(json, JsonText.ReaderOptions);
        var isWhole = false;
        long brokenOff = 0;
        try
        {
            if (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                message.Read(ref reader);
                isWhole = !reader.Read();
            }
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // A text that was cut has no end quote and is no token yet, but its bytes were relayed.
            brokenOff = message.IsInContent ? json.Length - reader.BytesConsumed : 0;
        }

        // Whole, a document with usage is an answer even if it does not say so. Broken off, it must say so: an error page is free.
        var hasStarted = message.Type == "message" || (isWhole && message.Type is null && message.Usage is not null);
        if (!hasStarted)
        {
            return MeterReading.NotStarted with { AnsweredModel = message.Model, ErrorType = message.ErrorType };
        }

        var tally = new UsageTally();
        tally.AddText(message.TextBytes + brokenOff);
        if (message.Usage is { } usage)
        {
            tally.IsFinal = tally.Merge(usage) && isWhole;
        }

        var quality = tally.IsSuspect ? ReadingQuality.Suspect : tally.IsFinal ? ReadingQuality.Exact : ReadingQuality.Estimated;
        return new MeterReading(tally.ToUsage(), quality, message.Model, HasStarted: true, message.ErrorType);
    }
}
