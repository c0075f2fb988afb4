using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ccp.Pricing;

/// <summary>What a charge was computed from, beside its rate card: kept with the request record, so that a receipt can be written again years later.</summary>
/// <param name="NamedRows">The rows that models named in the answer had when the call was admitted; a model without a row is missing.</param>
/// <remarks>
/// Shape: one flat object; what is zero or was not named is left out; in <c>rows</c> null stands for the rate card's own row, as it does for most answers,
/// which name the asked model with its date.
/// </remarks>
internal sealed record ReceiptBasis(MeteredUsage Usage, IReadOnlyDictionary<string, PriceRow> NamedRows)
{
    public static ReceiptBasis Of(RateCard card, MeteredUsage usage, string? answeredModel)
    {
        var rows = new Dictionary<string, PriceRow>(StringComparer.Ordinal);
        foreach (var model in usage.Iterations.Select(pass => pass.Model).Prepend(answeredModel))
        {
            if (model is not null && model != card.Model && card.RowOf(model) is { } row)
            {
                rows[model] = row;
            }
        }

        return new ReceiptBasis(usage, rows);
    }

    /// <summary>The card with the rows of that day for every model that the answer named, and none for any other.</summary>
    public RateCard Freeze(RateCard card) => card with { Book = PriceBook.Frozen(NamedRows) };

    /// <param name="card">The one the charge was computed with: its own row is not written again.</param>
    public string ToJson(RateCard card)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            MeteredUsageJson.WriteMembers(json, Usage);
            if (NamedRows.Count > 0)
            {
                WriteRows(json, card.Row);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <returns>Null when the text is none.</returns>
    public static ReceiptBasis? TryRead(string text, RateCard card)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var json = document.RootElement;
            var rows = new Dictionary<string, PriceRow>(StringComparer.Ordinal);
            if (json.TryGetProperty("rows", out var stored))
            {
                foreach (var row in stored.EnumerateObject())
                {
                    rows[row.Name] = row.Value.ValueKind == JsonValueKind.Null ? card.Row : PriceRowJson.Read(row.Value);
                }
            }

            return new ReceiptBasis(MeteredUsageJson.Read(json), rows);
        }
        catch (Exception problem) when (problem
            is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private void WriteRows(Utf8JsonWriter json, PriceRow own)
    {
        json.WriteStartObject("rows");
        foreach (var (model, row) in NamedRows)
        {
            if (row == own)
            {
                json.WriteNull(model);
                continue;
            }

            json.WriteStartObject(model);
            PriceRowJson.WriteMembers(json, row);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
