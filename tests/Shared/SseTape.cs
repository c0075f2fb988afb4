using System.Text.Json;

namespace Ccp.Tests.Shared;

/// <summary>A recorded stream and the reading it must give.</summary>
public sealed record SseTape(string Name, byte[] Bytes, JsonElement Expected)
{
    public static IReadOnlyList<string> Names { get; } =
        [.. Directory.EnumerateFiles(Folder, "*.sse").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Tapes");

    public static SseTape Load(string name)
    {
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".json")));
        return new SseTape(name, File.ReadAllBytes(Path.Combine(Folder, name + ".sse")), expected.RootElement.Clone());
    }

    public long Number(string member) => Expected.TryGetProperty(member, out var value) ? value.GetInt64() : 0;

    public string? Text(string member) => Expected.TryGetProperty(member, out var value) ? value.GetString() : null;
}
