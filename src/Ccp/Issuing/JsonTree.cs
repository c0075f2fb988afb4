using System.Globalization;
using System.Text.Json;
using Ccp.Configuration.Toml;

namespace Ccp.Issuing;

/// <summary>JSON as the tree that TOML gives, so that one reader, with its words and its places, serves both.</summary>
internal static class JsonTree
{
    /// <param name="moment">The member that holds a date. JSON has none: a text that is one to TOML is read as one there, and there only.</param>
    /// <exception cref="JsonException">The bytes are no JSON object, or name a member twice.</exception>
    public static TomlTable Read(ReadOnlySpan<byte> utf8, string moment)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 16 });
        reader.Read();
        var root = Value(ref reader, utf8, moment) as TomlTable ?? throw Wrong(utf8, 0);
        reader.Read();
        return root;
    }

    private static TomlValue Value(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, string moment)
    {
        var start = (int)reader.TokenStartIndex;
        var at = Place(utf8, start);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return Table(ref reader, utf8, at, moment);
            case JsonTokenType.StartArray:
                var list = new TomlArray(at, isOpen: false);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Add(Value(ref reader, utf8, moment));
                }

                return list;
            case JsonTokenType.String:
                return new TomlString(at, Text(ref reader, utf8));
            case JsonTokenType.True or JsonTokenType.False:
                return new TomlBoolean(at, reader.GetBoolean());
            case JsonTokenType.Number when reader.TryGetInt64(out var number):
                return new TomlInteger(at, number.ToString(CultureInfo.InvariantCulture), number);
            default:
                throw Wrong(utf8, start);
        }
    }

    private static TomlTable Table(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, TomlPosition at, string moment)
    {
        var table = new TomlTable(at, TomlTableOrigin.Inline);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var key = new TomlKey(Text(ref reader, utf8), Place(utf8, start));
            reader.Read();
            if (table.TryGet(key.Name, out _))
            {
                throw Wrong(utf8, start);
            }

            var value = Value(ref reader, utf8, moment);
            table.Add(key, key.Name == moment && value is TomlString text && TomlDateTimes.TryRead(text.At, text.Text) is { Date: not null } date ? date : value);
        }

        return table;
    }

    private static string Text(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, or no UTF-8.
            throw Wrong(utf8, (int)reader.TokenStartIndex);
        }
    }

    private static TomlPosition Place(ReadOnlySpan<byte> utf8, int index)
    {
        var before = utf8[..index];
        return new TomlPosition(before.Count((byte)'\n') + 1, index - before.LastIndexOf((byte)'\n'));
    }

    private static JsonException Wrong(ReadOnlySpan<byte> utf8, int index)
    {
        var at = Place(utf8, index);
        return new JsonException(null, null, at.Line - 1, at.Column - 1);
    }
}
