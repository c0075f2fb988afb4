using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ccp.Configuration.Toml;

namespace Ccp.Tests.Configuration.Toml;

/// <summary>The tagged JSON of the conformance cases: every scalar is <c>{"type": …, "value": …}</c>. Both sides are brought to one spelling.</summary>
internal static class TaggedJson
{
    public static JsonNode Of(TomlValue value) => value switch
    {
        TomlTable table => new JsonObject(table.Entries.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)Of(entry.Value.Value)))),
        TomlArray array => new JsonArray([.. array.Items.Select(Of)]),
        TomlString text => Tagged("string", text.Text),
        TomlBoolean flag => Tagged("bool", flag.Value ? "true" : "false"),
        TomlInteger number => Tagged("integer", number.Value.ToString(CultureInfo.InvariantCulture)),
        TomlFloat number => Tagged("float", Float(number.Value)),
        TomlDateTime { Date: not null, Time: not null, Offset: not null } moment => Tagged("datetime", Raw(moment)),
        TomlDateTime { Date: not null, Time: not null } moment => Tagged("datetime-local", Raw(moment)),
        TomlDateTime { Date: not null } moment => Tagged("date-local", Raw(moment)),
        TomlDateTime moment => Tagged("time-local", Raw(moment)),
        _ => throw new ArgumentException($"{value.GetType().Name} has no tag."),
    };

    /// <summary>The expected side: floats by value, times without the zeros that mean nothing.</summary>
    public static JsonNode Normalized(JsonNode node)
    {
        if (node is JsonArray array)
        {
            return new JsonArray([.. array.Select(item => Normalized(item!))]);
        }

        var members = node.AsObject();
        if (members.Count != 2 || members["type"]?.GetValueKind() != JsonValueKind.String || members["value"]?.GetValueKind() != JsonValueKind.String)
        {
            return new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, (JsonNode?)Normalized(member.Value!))));
        }

        var (type, value) = (members["type"]!.GetValue<string>(), members["value"]!.GetValue<string>());
        return Tagged(type, type switch
        {
            "float" => Float(ParseFloat(value)),
            "datetime" or "datetime-local" or "date-local" or "time-local" => Time(value),
            _ => value,
        });
    }

    private static JsonObject Tagged(string type, string value) => new() { ["type"] = type, ["value"] = value };

    private static double ParseFloat(string text) => text switch
    {
        "inf" or "+inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" or "+nan" or "-nan" => double.NaN,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    // The sign of a zero or of a NaN is not kept by every writer of the cases, so it is not compared.
    private static string Float(double value) => value == 0 ? "0" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>From the parts and not the raw text, so that the parts are what is proved.</summary>
    private static string Raw(TomlDateTime moment)
    {
        var date = moment.Date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var time = moment.Time?.ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture);
        var offset = moment.Offset is not { } distance ? ""
            : distance == TimeSpan.Zero ? "Z"
            : (distance < TimeSpan.Zero ? "-" : "+") + distance.ToString(@"hh\:mm", CultureInfo.InvariantCulture);
        return string.Join('T', new[] { date, time }.Where(part => part is not null)) + offset;
    }

    private static string Time(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        if (point < 0)
        {
            return text;
        }

        var end = point + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        return text[..end].TrimEnd('0').TrimEnd('.') + text[end..];
    }
}
