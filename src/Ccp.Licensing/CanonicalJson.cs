using System.Text;
using System.Text.Json;

namespace Ccp.Licensing;

/// <summary>The one way to write a JSON value that RFC 8785 names: no blanks, members by name, numbers and escapes as ECMAScript has them.</summary>
/// <remarks>A license that some tool has pretty-printed says the same in other bytes; this is what those bytes have in common.</remarks>
internal static class CanonicalJson
{
    /// <returns>UTF-8; null when the text has no canonical form: it is no JSON, names a member twice, or holds what is neither text nor number to others.</returns>
    public static byte[]? Of(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var text = new StringBuilder(json.Length);
            return !reader.Read() && Write(document.RootElement, text) ? Encoding.UTF8.GetBytes(text.ToString()) : null;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException is how half a surrogate pair is refused, FormatException how a number without end is.
            return null;
        }
    }

    private static bool Write(JsonElement value, StringBuilder to)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                return WriteObject(value, to);
            case JsonValueKind.Array:
                return WriteArray(value, to);
            case JsonValueKind.String:
                WriteString(value.GetString()!, to);
                return true;
            case JsonValueKind.Number:
                var number = value.GetDouble();
                to.Append(double.IsFinite(number) ? EcmaNumber.Text(number) : "");
                return double.IsFinite(number);
            default:
                to.Append(value.GetRawText());
                return true;
        }
    }

    private static bool WriteObject(JsonElement value, StringBuilder to)
    {
        // By UTF-16 code units, which is what the ordinal order of strings compares.
        var members = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            if (!members.TryAdd(member.Name, member.Value))
            {
                return false;
            }
        }

        to.Append('{');
        var isFirst = true;
        foreach (var (name, inner) in members)
        {
            to.Append(isFirst ? "" : ",");
            isFirst = false;
            WriteString(name, to);
            to.Append(':');
            if (!Write(inner, to))
            {
                return false;
            }
        }

        to.Append('}');
        return true;
    }

    private static bool WriteArray(JsonElement value, StringBuilder to)
    {
        to.Append('[');
        var isFirst = true;
        foreach (var item in value.EnumerateArray())
        {
            to.Append(isFirst ? "" : ",");
            isFirst = false;
            if (!Write(item, to))
            {
                return false;
            }
        }

        to.Append(']');
        return true;
    }

    private static void WriteString(string text, StringBuilder to)
    {
        to.Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => to.Append("\\\""),
                '\\' => to.Append("\\\\"),
                '\b' => to.Append("\\b"),
                '\t' => to.Append("\\t"),
                '\n' => to.Append("\\n"),
                '\f' => to.Append("\\f"),
                '\r' => to.Append("\\r"),
                < ' ' => to.Append("\\u00").Append(Convert.ToHexStringLower([(byte)c])),
                _ => to.Append(c),
            };
        }

        to.Append('"');
    }
}
