namespace Ccp.Configuration.Toml;

/// <summary>A value and where its first character stands.</summary>
internal abstract class TomlValue(TomlPosition at)
{
    public TomlPosition At { get; } = at;
}

internal sealed class TomlString(TomlPosition at, string text) : TomlValue(at)
{
    public string Text { get; } = text;
}

internal sealed class TomlBoolean(TomlPosition at, bool value) : TomlValue(at)
{
    public bool Value { get; } = value;
}

/// <param name="raw">As written, underscores and base prefix included, so that money can be read without passing through a binary number.</param>
internal sealed class TomlInteger(TomlPosition at, string raw, long value) : TomlValue(at)
{
    public string Raw { get; } = raw;

    public long Value { get; } = value;
}

/// <param name="raw">As written: <c>0.10</c> is ten cents here, and only nearly so in <see cref="Value"/>.</param>
internal sealed class TomlFloat(TomlPosition at, string raw, double value) : TomlValue(at)
{
    public string Raw { get; } = raw;

    public double Value { get; } = value;
}

/// <summary>One of TOML's four: offset date-time (all parts), local date-time (no offset), local date, local time.</summary>
/// <param name="raw">As written.</param>
/// <param name="time">Down to 100 ns; finer digits are dropped, as the TOML specification asks.</param>
/// <param name="offset">From UTC, whole minutes.</param>
internal sealed class TomlDateTime(TomlPosition at, string raw, DateOnly? date, TimeOnly? time, TimeSpan? offset) : TomlValue(at)
{
    public string Raw { get; } = raw;

    public DateOnly? Date { get; } = date;

    public TimeOnly? Time { get; } = time;

    public TimeSpan? Offset { get; } = offset;
}

/// <param name="isOpen">True: grown by <c>[[name]]</c> headers, so that more may follow. False: written out in brackets, and final.</param>
internal sealed class TomlArray(TomlPosition at, bool isOpen) : TomlValue(at)
{
    private readonly List<TomlValue> _items = [];

    public bool IsOpen { get; } = isOpen;

    public IReadOnlyList<TomlValue> Items => _items;

    public void Add(TomlValue item) => _items.Add(item);
}

/// <summary>Stands where a value could not be read. The problem is already reported; what reads the tree passes over it in silence.</summary>
internal sealed class TomlBroken(TomlPosition at) : TomlValue(at);
