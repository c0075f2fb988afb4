using System.Diagnostics.CodeAnalysis;

namespace Ccp.Configuration.Toml;

/// <summary>How a table came to be, which decides what may still be added to it.</summary>
internal enum TomlTableOrigin
{
    /// <summary>Named on the way to a sub-table, as <c>a</c> in <c>[a.b]</c>. May be defined once, later.</summary>
    Implied,

    /// <summary>Its own <c>[header]</c>, or an element of <c>[[header]]</c>, or the root.</summary>
    Header,

    /// <summary>Named inside a dotted key, as <c>a</c> in <c>a.b = 1</c>.</summary>
    DottedKey,

    /// <summary>Written in braces: complete, closed to additions.</summary>
    Inline,
}

/// <summary>One part of a key, as <c>b</c> in <c>a.b.c</c>.</summary>
internal readonly record struct TomlKey(string Name, TomlPosition At);

/// <param name="KeyAt">Where the key stands; the value knows its own place.</param>
internal readonly record struct TomlEntry(TomlPosition KeyAt, TomlValue Value);

/// <summary>Names and values in the order of the text.</summary>
internal sealed class TomlTable(TomlPosition at, TomlTableOrigin origin) : TomlValue(at)
{
    private readonly OrderedDictionary<string, TomlEntry> _entries = new(StringComparer.Ordinal);

    public TomlTableOrigin Origin { get; private set; } = origin;

    public IReadOnlyDictionary<string, TomlEntry> Entries => _entries;

    public bool TryGet(string name, out TomlEntry entry) => _entries.TryGetValue(name, out entry);

    public bool TryGet<T>(string name, [NotNullWhen(true)] out T? value) where T : TomlValue
    {
        value = _entries.TryGetValue(name, out var entry) ? entry.Value as T : null;
        return value is not null;
    }

    public void Add(TomlKey key, TomlValue value) => _entries.Add(key.Name, new TomlEntry(key.At, value));

    /// <summary>An implied table gets its definition.</summary>
    public void DefineAs(TomlTableOrigin origin) => Origin = origin;
}
