using System.Text.Json;

namespace Ccp.Metering;

/// <summary>How much of a content block the model wrote: text, thinking and tool input, in decoded bytes.</summary>
internal static class ContentText
{
    /// <summary>Reads a whole block, as in <c>content_block_start</c> and in a message that is not streamed.</summary>
    /// <param name="reader">Inside the block, before its first member; left on its end.</param>
    /// <param name="signatures">Gets the block's signature; null: nobody wants it.</param>
    public static long ReadBlock(ref Utf8JsonReader reader, SignaturePieces? signatures = null)
    {
        long bytes = 0;
        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("text"u8) || reader.ValueTextEquals("thinking"u8))
            {
                bytes += reader.ReadTextLength();
            }
            else if (reader.ValueTextEquals("input"u8))
            {
                reader.Read();
                var start = reader.TokenStartIndex;
                reader.Skip();

                // An empty object is how a stream announces input that is still to come.
                var length = reader.BytesConsumed - start;
                bytes += length > 2 ? length : 0;
            }
            else if (signatures is not null && (reader.ValueTextEquals("signature"u8) || reader.ValueTextEquals("data"u8)))
            {
                signatures.Read(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return bytes;
    }

    /// <summary>Reads the <c>delta</c> of a <c>content_block_delta</c>.</summary>
    /// <param name="reader">Inside the delta, before its first member; left on its end.</param>
    /// <param name="signatures">As for <see cref="ReadBlock"/>.</param>
    /// <param name="announced">Tokens of thinking that is not shown; a step, not a running total.</param>
    public static long ReadDelta(ref Utf8JsonReader reader, SignaturePieces? signatures, out long? announced, out bool isSuspect)
    {
        long bytes = 0;
        announced = null;
        isSuspect = false;
        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("text"u8) || reader.ValueTextEquals("thinking"u8) || reader.ValueTextEquals("partial_json"u8))
            {
                bytes += reader.ReadTextLength();
            }
            else if (reader.ValueTextEquals("estimated_tokens"u8))
            {
                announced = ReportedTokens.ReadCount(ref reader, ref isSuspect);
            }
            else if (signatures is not null && reader.ValueTextEquals("signature"u8))
            {
                signatures.Read(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        // Thinking that is shown is counted by its bytes; counting its announcement too would charge it twice.
        announced = bytes > 0 ? null : announced;
        return bytes;
    }
}
