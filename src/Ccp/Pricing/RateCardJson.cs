using System.Buffers;
using System.Globalization;
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
            json.WriteString("row", card.Row.Model);
            json.WriteString("as_of", card.Row.AsOf.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("source", card.Row.Source);
            if (card.Row.EffectiveFrom is { } from)
            {
                json.WriteString("effective_from", from);
            }
            else
            {
                json.WriteNull("effective_from");
            }

            WritePrices(json, card.Row.Prices);
            WriteTier(json, card.Row.Above);
            WriteFast(json, card.Row.Fast);
            json.WriteNumber("web_search_per_1000", card.Row.WebSearchPer1000);
            json.WriteNumber("us_geo_factor", card.Row.UsGeoFactor);
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
            var row = new PriceRow(
                json.GetProperty("row").GetString()!,
                ReadPrices(json),
                ReadTier(json.GetProperty("above")),
                json.GetProperty("fast") is { ValueKind: JsonValueKind.Object } fast ? ReadPrices(fast) : null,
                json.GetProperty("web_search_per_1000").GetDecimal(),
                json.GetProperty("us_geo_factor").GetDecimal(),
                json.GetProperty("effective_from") is { ValueKind: JsonValueKind.String } from ? from.GetDateTimeOffset() : null,
                DateOnly.ParseExact(json.GetProperty("as_of").GetString()!, "O", CultureInfo.InvariantCulture),
                json.GetProperty("source").GetString()!);
            return new RateCard(
                json.GetProperty("model").GetString()!,
                row,
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

    private static void WritePrices(Utf8JsonWriter json, TokenPrices prices)
    {
        json.WriteNumber("input", prices.Input);
        json.WriteNumber("cache_write_5m", prices.CacheWrite5m);
        json.WriteNumber("cache_write_1h", prices.CacheWrite1h);
        json.WriteNumber("cache_read", prices.CacheRead);
        json.WriteNumber("output", prices.Output);
    }

    private static void WriteTier(Utf8JsonWriter json, PromptTier? tier)
    {
        if (tier is null)
        {
            json.WriteNull("above");
            return;
        }

        json.WriteStartObject("above");
        json.WriteNumber("prompt_tokens", tier.PromptTokens);
        WritePrices(json, tier.Prices);
        json.WriteEndObject();
    }

    private static void WriteFast(Utf8JsonWriter json, TokenPrices? fast)
    {
        if (fast is null)
        {
            json.WriteNull("fast");
            return;
        }

        json.WriteStartObject("fast");
        WritePrices(json, fast);
        json.WriteEndObject();
    }

    private static TokenPrices ReadPrices(JsonElement json) => new(
        json.GetProperty("input").GetDecimal(),
        json.GetProperty("cache_write_5m").GetDecimal(),
        json.GetProperty("cache_write_1h").GetDecimal(),
        json.GetProperty("cache_read").GetDecimal(),
        json.GetProperty("output").GetDecimal());

    private static PromptTier? ReadTier(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object ? new PromptTier(json.GetProperty("prompt_tokens").GetInt64(), ReadPrices(json)) : null;
}
