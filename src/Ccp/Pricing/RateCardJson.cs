using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ccp.Pricing;

/// <summary>A rate card as it is stored: what a call was priced with, readable years later and without the configuration of that day.</summary>
/// <remarks>Shape: one flat object; <c>above</c> and <c>fast</c> are objects or null, instants are ISO 8601, prices USD per million tokens.</remarks>
internal static class RateCardJson
{
    public static string Write(RateCard card)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", card.Model);
            PriceRowJson.WriteMembers(json, card.Row);
            json.WriteNumber("batch_factor", RateCard.BatchFactor);
            json.WriteNumber("markup", card.Markup);
            json.WriteString("admitted_at", card.AdmittedAt);
            json.WriteBoolean("fixed", card.IsFixed);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads a stored card, for settling a call whose process died.</summary>
    /// <param name="book">For the rows of other models than the asked one; its own row is the stored one, whatever the book says today.</param>
    /// <returns>Null when the text is no rate card.</returns>
    public static RateCard? TryRead(string text, PriceBook book)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var json = document.RootElement;
            return new RateCard(
                json.GetProperty("model").GetString()!,
                PriceRowJson.Read(json),
                json.GetProperty("markup").GetDecimal(),
                book,
                json.GetProperty("admitted_at").GetDateTimeOffset(),
                json.GetProperty("fixed").GetBoolean());
        }
        catch (Exception problem) when (problem
            is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}
