using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ccp.Bench.Report;

/// <summary>The figures for programs: all rounds, so that the spread can be seen.</summary>
internal static class JsonReport
{
    public static void Write(string path, Surroundings surroundings, IEnumerable<Figure> figures, IReadOnlyList<string> problems)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("at", surroundings.At);
        json.WriteString("kernel", surroundings.Kernel);
        json.WriteNumber("cores", surroundings.Cores);
        json.WriteNumber("loadBefore", surroundings.LoadBefore);
        WriteValue(json, "syncedWriteP50Microseconds", surroundings.SyncedWrite.P50);
        json.WriteBoolean("short", surroundings.IsShort);
        WriteProblems(json, problems);
        json.WriteStartArray("figures");
        foreach (var figure in figures)
        {
            WriteFigure(json, figure);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteProblems(Utf8JsonWriter json, IReadOnlyList<string> problems)
    {
        json.WriteStartArray("problems");
        foreach (var problem in problems)
        {
            json.WriteStringValue(problem);
        }

        json.WriteEndArray();
    }

    private static void WriteFigure(Utf8JsonWriter json, Figure figure)
    {
        json.WriteStartObject();
        json.WriteString("name", figure.Name);
        json.WriteString("unit", figure.Unit);
        WriteValue(json, "direct", figure.Direct);
        WriteValue(json, "ccp", figure.Ccp);
        if (figure.Comparison != Comparison.CcpOnly)
        {
            WriteValue(json, figure.Comparison == Comparison.Added ? "added" : "ratio", figure.Compared);
        }

        if (figure.Goal is { } goal)
        {
            json.WriteNumber("goal", goal.FirstRelease);
            json.WriteNumber("aim", goal.Aim);
        }

        WriteRounds(json, "directRounds", figure.DirectRounds);
        WriteRounds(json, "ccpRounds", figure.CcpRounds);
        json.WriteEndObject();
    }

    private static void WriteRounds(Utf8JsonWriter json, string name, IReadOnlyList<double> rounds)
    {
        json.WriteStartArray(name);
        foreach (var value in rounds)
        {
            json.WriteRawValue(Text(value));
        }

        json.WriteEndArray();
    }

    private static void WriteValue(Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(Text(value));
    }

    /// <summary>JSON has no word for "not a number".</summary>
    private static string Text(double value) =>
        double.IsFinite(value) ? Math.Round(value, 3).ToString(System.Globalization.CultureInfo.InvariantCulture) : "null";
}
