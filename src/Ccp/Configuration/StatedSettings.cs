using System.Text;
using Ccp.Configuration.Toml;

namespace Ccp.Configuration;

/// <summary>The settings of a file as they are written, by name, so that two readings of it can be compared: <c>server.listen</c>, <c>lane</c>.</summary>
internal sealed class StatedSettings
{
    public static readonly StatedSettings None = new([]);

    private readonly Dictionary<string, string> _texts;

    private StatedSettings(Dictionary<string, string> texts) => _texts = texts;

    public static StatedSettings Of(TomlTable root)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, entry) in root.Entries)
        {
            if (entry.Value is TomlTable table)
            {
                foreach (var (inner, value) in table.Entries)
                {
                    texts[$"{name}.{inner}"] = TextOf(value.Value);
                }
            }
            else
            {
                texts[name] = TextOf(entry.Value);
            }
        }

        return new StatedSettings(texts);
    }

    /// <summary>The names of what is stated in one of the two only, or stated otherwise.</summary>
    public IReadOnlyList<string> DifferencesFrom(StatedSettings other) =>
        [.. _texts.Keys.Union(other._texts.Keys).Where(name => _texts.GetValueOrDefault(name) != other._texts.GetValueOrDefault(name)).Order(StringComparer.Ordinal)];

    private static string TextOf(TomlValue value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return text.ToString();
    }

    private static void Write(TomlValue value, StringBuilder text)
    {
        switch (value)
        {
            case TomlString words:
                // With its length before it, so that no text can pass for two.
                text.Append(words.Text.Length).Append('"').Append(words.Text);
                break;
            case TomlBoolean flag:
                text.Append(flag.Value ? "true" : "false");
                break;
            case TomlInteger number:
                text.Append(number.Raw);
                break;
            case TomlFloat number:
                text.Append(number.Raw);
                break;
            case TomlDateTime moment:
                text.Append(moment.Raw);
                break;
            case TomlArray list:
                text.Append('[');
                foreach (var item in list.Items)
                {
                    Write(item, text);
                    text.Append(',');
                }

                text.Append(']');
                break;
            case TomlTable table:
                text.Append('{');
                foreach (var (name, entry) in table.Entries)
                {
                    text.Append(name.Length).Append('"').Append(name).Append('=');
                    Write(entry.Value, text);
                    text.Append(',');
                }

                text.Append('}');
                break;
            default:
                break;
        }
    }
}
