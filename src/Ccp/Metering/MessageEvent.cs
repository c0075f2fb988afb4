using System.Text.Json;

namespace Ccp.Metering;

/// <summary>The events of a streamed message that a meter cares about.</summary>
internal enum MessageEvent
{
    /// <summary>Anything else, known or not: a ping, an event of some later release.</summary>
    Other,
    MessageStart,
    ContentBlockStart,
    ContentBlockDelta,
    ContentBlockStop,
    MessageDelta,
    MessageStop,
    Error,
}

internal static class MessageEvents
{
    /// <summary>What the data of an event says it is, by its own <c>type</c> member: that is what clients go by too.</summary>
    /// <exception cref="JsonException">The data breaks off or is no JSON before its type is known.</exception>
    public static MessageEvent TypeOf(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, JsonText.ReaderOptions);
        reader.Read();
        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                return reader.TokenType == JsonTokenType.String ? Named(ref reader) : MessageEvent.Other;
            }

            reader.Skip();
        }

        return MessageEvent.Other;
    }

    /// <summary>Whether the <c>delta</c> of a <c>message_delta</c> says why the answer ended; until then it has not.</summary>
    /// <param name="reader">Inside the delta, before its first member; left on its end.</param>
    public static bool HasStopReason(ref Utf8JsonReader reader)
    {
        var hasStopped = false;
        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("stop_reason"u8))
            {
                reader.Read();
                hasStopped = reader.TokenType == JsonTokenType.String;
            }

            reader.Skip();
        }

        return hasStopped;
    }

    private static MessageEvent Named(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("content_block_delta"u8) ? MessageEvent.ContentBlockDelta
        : reader.ValueTextEquals("content_block_start"u8) ? MessageEvent.ContentBlockStart
        : reader.ValueTextEquals("content_block_stop"u8) ? MessageEvent.ContentBlockStop
        : reader.ValueTextEquals("message_start"u8) ? MessageEvent.MessageStart
        : reader.ValueTextEquals("message_delta"u8) ? MessageEvent.MessageDelta
        : reader.ValueTextEquals("message_stop"u8) ? MessageEvent.MessageStop
        : reader.ValueTextEquals("error"u8) ? MessageEvent.Error
        : MessageEvent.Other;
}
