using System.Text.Json;

namespace Ccp.WireTests.Hosting;

/// <summary>What a ccp has written to its usage log: all of it once it has stopped.</summary>
internal static class UsageLines
{
    public static IReadOnlyList<JsonElement> Completions(CcpUnderTest ccp) =>
        [.. All(ccp).Where(line => !line.TryGetProperty("event", out _))];

    public static IReadOnlyList<JsonElement> All(CcpUnderTest ccp) =>
        File.Exists(PathOf(ccp)) ? [.. File.ReadLines(PathOf(ccp)).Select(static line => JsonDocument.Parse(line).RootElement)] : [];

    private static string PathOf(CcpUnderTest ccp) => Path.Combine(ccp.Home, "logs", "usage.jsonl");
}
