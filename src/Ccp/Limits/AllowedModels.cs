using System.Buffers;
using System.Text.Json;
using Ccp.Configuration;

namespace Ccp.Limits;

/// <summary>Takes the models that a user may not use out of the upstream's list of models. Everything else in it stays as it is.</summary>
internal static class AllowedModels
{
    /// <summary>The path of one model, whose last part is its id.</summary>
    private const string OneModelPath = "/v1/models/";

    /// <returns>The id, when the path is that of one model.</returns>
    public static string? IdIn(string path) => path.StartsWith(OneModelPath, StringComparison.Ordinal) ? path[OneModelPath.Length..] : null;

    /// <returns>Null when this is no list of models: what cannot be read must not pass.</returns>
    public static byte[]? Filter(UserLimits limits, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("data"u8, out _))
            {
                return null;
            }

            var filtered = new ArrayBufferWriter<byte>(json.Length);
            using var writer = new Utf8JsonWriter(filtered);
            writer.WriteStartObject();
            foreach (var member in document.RootElement.EnumerateObject())
            {
                writer.WritePropertyName(member.Name);
                if (member.NameEquals("data"u8))
                {
                    WriteAllowed(writer, limits, member.Value);
                }
                else
                {
                    writer.WriteRawValue(member.Value.GetRawText(), skipInputValidation: true);
                }
            }

            writer.WriteEndObject();
            writer.Flush();
            return filtered.WrittenSpan.ToArray();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static void WriteAllowed(Utf8JsonWriter writer, UserLimits limits, JsonElement models)
    {
        writer.WriteStartArray();
        foreach (var model in models.EnumerateArray())
        {
            if (model.ValueKind == JsonValueKind.Object && model.TryGetProperty("id"u8, out var id) && id.ValueKind == JsonValueKind.String && limits.AllowsModel(id.GetString()!))
            {
                writer.WriteRawValue(model.GetRawText(), skipInputValidation: true);
            }
        }

        writer.WriteEndArray();
    }
}
