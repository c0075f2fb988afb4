using Ccp.Configuration.Toml;

namespace Ccp.Configuration;

/// <summary>One table of the file while it is read: gives typed values, reports wrong ones, and knows which keys nobody asked for.</summary>
/// <remarks>
/// Shape: a method gives null when the key is absent and when its value is wrong; a wrong value is reported first. A caller may
/// therefore carry on with its default: with a problem reported, the result is never used.
/// </remarks>
/// <param name="path">The name problems begin with; empty for the root.</param>
internal sealed partial class ConfigTable(TomlTable table, string path, ConfigProblems problems)
{
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    public TomlPosition At => table.At;

    /// <summary>Its keys, in the order written: for tables whose keys are the operator's own words.</summary>
    public IEnumerable<string> Keys => table.Entries.Select(entry => entry.Key);

    /// <summary>Stated, rightly or wrongly.</summary>
    public bool Has(string key) => table.TryGet(key, out _);

    /// <summary>Where the value stands, else its table.</summary>
    public TomlPosition PlaceOf(string key) => table.TryGet(key, out var entry) ? entry.Value.At : table.At;

    public void Refuse(string key, string message) => Refuse(key, PlaceOf(key), message);

    public void Refuse(string key, TomlPosition at, string message) => problems.Add(at, NameOf(key), message);

    public void Warn(string key, string message) => problems.Warn(PlaceOf(key), NameOf(key), message);

    /// <summary>Reports the key as missing when it is not stated.</summary>
    public void Require(string key)
    {
        if (!Has(key))
        {
            problems.Add(table.At, path, $"{key} is missing");
        }
    }

    /// <summary>Reports both keys as missing when neither is stated.</summary>
    public void RequireOneOf(string key, string other)
    {
        if (!Has(key) && !Has(other))
        {
            problems.Add(table.At, path, $"{key} and {other} are missing; state at least one of them");
        }
    }

    /// <summary>Counts a key among the settings of this table without reading it, for guesses at what was meant.</summary>
    public void Knows(string key) => _asked.Add(key);

    /// <summary>To be called last: every key not asked for until now is one that no setting has.</summary>
    public void RefuseUnknown()
    {
        foreach (var (name, entry) in table.Entries)
        {
            if (!_asked.Contains(name))
            {
                var guess = NearestName.Of(name, _asked);
                problems.Add(entry.KeyAt, NameOf(Shown(name)), "there is no such setting" + (guess is null ? "" : $"; did you mean \"{guess}\"?"));
            }
        }
    }

    /// <summary>A sub-table, whether under a header of its own or in braces.</summary>
    public ConfigTable? Table(string key) => Get(key) switch
    {
        null => null,
        TomlTable inner => new ConfigTable(inner, NameOf(key), problems),
        var other => Wrong<ConfigTable>(key, "a table", other),
    };

    /// <summary>The tables of a <c>[[key]]</c> list; empty when there is none.</summary>
    public IReadOnlyList<ConfigTable> Tables(string key)
    {
        var value = Get(key);
        if (value is not TomlArray list)
        {
            if (value is not null)
            {
                Wrong<ConfigTable>(key, $"a list of tables, each under [[{key}]]", value);
            }

            return [];
        }

        var tables = new List<ConfigTable>();
        foreach (var item in list.Items)
        {
            if (item is TomlTable inner)
            {
                tables.Add(new ConfigTable(inner, NameOf(key), problems));
            }
            else
            {
                Refuse(key, item.At, $"expected a list of tables, each under [[{key}]], found {Found(item)}");
            }
        }

        return tables;
    }

    /// <summary>The text, for a person to recognise it in a problem; what could be a key or a token is not repeated.</summary>
    public static string Shown(string text)
    {
        const int LengthMax = 40;

        // Keys and tokens are long and unbroken, settings are short: a secret pasted under the wrong name stays out of the log.
        if (text.Length > LengthMax || text.StartsWith("sk-", StringComparison.OrdinalIgnoreCase) || Guid.TryParse(text, out _))
        {
            return $"… ({text.Length} characters)";
        }

        return string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c));
    }

    private TomlValue? Get(string key)
    {
        _asked.Add(key);
        return table.TryGet(key, out var entry) && entry.Value is not TomlBroken ? entry.Value : null;
    }

    private string NameOf(string key) => path.Length == 0 ? key : $"{path}.{key}";

    private T? Wrong<T>(string key, string expected, TomlValue found)
    {
        Refuse(key, found.At, $"expected {expected}, found {Found(found)}");
        return default;
    }

    private static string Found(TomlValue value) => value switch
    {
        TomlString text => $"\"{Shown(text.Text)}\"",
        TomlBoolean flag => flag.Value ? "true" : "false",
        TomlInteger number => Shown(number.Raw),
        TomlFloat number => Shown(number.Raw),
        TomlDateTime moment => moment.Raw,
        TomlArray => "a list",
        _ => "a table",
    };
}
