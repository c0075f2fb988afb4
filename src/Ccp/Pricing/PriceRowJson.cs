using System.Globalization;
using System.Text.Json;

namespace Ccp.Pricing;

/// <summary>A price row as it is stored, inside a rate card or beside a metered usage.</summary>
/// <remarks>Errors: reading throws what <see cref="JsonElement"/> throws; whoever reads a whole document turns it into "none".</remarks>
internal static class PriceRowJson
{
    /// <summary>The members alone: the caller has begun the object.</summary>
    public static void WriteMembers(Utf8JsonWriter json, PriceRow row)
    {
        json.WriteString("row", row.Model);
        json.WriteString("as_of", row.AsOf.ToString("O", CultureInfo.InvariantCulture));
        json.WriteString("source", row.Source);
        if (row.EffectiveFrom is { } from)
        {
            json.WriteString("effective_from", from);
        }
        else
        {
            json.WriteNull("effective_from");
        }

        WritePrices(json, row.Prices);
        WriteTier(json, row.Above);
        WriteFast(json, row.Fast);
        json.WriteNumber("web_search_per_1000", row.WebSearchPer1000);
        json.WriteNumber("us_geo_factor", row.UsGeoFactor);
    }

    public static PriceRow Read(JsonElement json) => new(
        json.GetProperty("row").GetString()!,
        ReadPrices(json),
        ReadTier(json.GetProperty("above")),
        json.GetProperty("fast") is { ValueKind: JsonValueKind.Object } fast ? ReadPrices(fast) : null,
        json.GetProperty("web_search_per_1000").GetDecimal(),
        json.GetProperty("us_geo_factor").GetDecimal(),
        json.GetProperty("effective_from") is { ValueKind: JsonValueKind.String } from ? from.GetDateTimeOffset() : null,
        DateOnly.ParseExact(json.GetProperty("as_of").GetString()!, "O", CultureInfo.InvariantCulture),
        json.GetProperty("source").GetString()!);

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
