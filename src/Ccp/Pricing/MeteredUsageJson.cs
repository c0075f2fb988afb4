using System.Text.Json;

namespace Ccp.Pricing;

/// <summary>A metered usage as it is stored. What is zero or was not named is left out.</summary>
internal static class MeteredUsageJson
{
    /// <summary>The members alone: the caller has begun the object.</summary>
    public static void WriteMembers(Utf8JsonWriter json, MeteredUsage usage)
    {
        WriteTokens(json, usage.Tokens);
        WriteCount(json, "web_searches", usage.WebSearches);
        WriteText(json, "service_tier", usage.ServiceTier);
        WriteText(json, "inference_geo", usage.InferenceGeo);
        WriteText(json, "speed", usage.Speed);
        if (usage.Iterations.Count == 0)
        {
            return;
        }

        json.WriteStartArray("iterations");
        foreach (var pass in usage.Iterations)
        {
            json.WriteStartObject();
            WriteText(json, "model", pass.Model);
            WriteTokens(json, pass.Tokens);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public static MeteredUsage Read(JsonElement json) => new(
        ReadTokens(json),
        json.TryGetProperty("iterations", out var passes) ? [.. passes.EnumerateArray().Select(pass => new UsageIteration(ReadText(pass, "model"), ReadTokens(pass)))] : [],
        ReadCount(json, "web_searches"),
        ReadText(json, "service_tier"),
        ReadText(json, "inference_geo"),
        ReadText(json, "speed"));

    private static void WriteTokens(Utf8JsonWriter json, in TokenUsage tokens)
    {
        WriteCount(json, "input", tokens.Input);
        WriteCount(json, "cache_write_5m", tokens.CacheWrite5m);
        WriteCount(json, "cache_write_1h", tokens.CacheWrite1h);
        WriteCount(json, "cache_read", tokens.CacheRead);
        WriteCount(json, "output", tokens.Output);
    }

    private static TokenUsage ReadTokens(JsonElement json) => new(
        ReadCount(json, "input"),
        ReadCount(json, "cache_write_5m"),
        ReadCount(json, "cache_write_1h"),
        ReadCount(json, "cache_read"),
        ReadCount(json, "output"));

    private static void WriteCount(Utf8JsonWriter json, string name, long count)
    {
        if (count != 0)
        {
            json.WriteNumber(name, count);
        }
    }

    private static void WriteText(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    private static long ReadCount(JsonElement json, string name) => json.TryGetProperty(name, out var count) ? count.GetInt64() : 0;

    private static string? ReadText(JsonElement json, string name) => json.TryGetProperty(name, out var text) ? text.GetString() : null;
}
