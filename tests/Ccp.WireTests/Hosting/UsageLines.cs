using System.Text.Json;

namespace Ccp.WireTests.Hosting;

/// <summary>What a ccp that has stopped left in its usage log.</summary>
internal static class UsageLines
{
    public static IReadOnlyList<JsonElement> Completions(CcpUnderTest ccp) =>
        [.. All(ccp).Where(line => !line.TryGetProperty("event", out _))];

    public static IReadOnlyList<JsonElement> All(CcpUnderTest ccp) =>
        [.. File.ReadLines(Path.Combine(ccp.Home, "logs", "usage.jsonl")).Select(static line => JsonDocument.Parse(line).RootElement)];
}
