namespace Ccp.Configuration.Toml;

/// <summary>A place in the text. Both numbers start at 1; the column counts characters (Unicode code points), not bytes.</summary>
internal readonly record struct TomlPosition(int Line, int Column) : IComparable<TomlPosition>
{
    public static readonly TomlPosition Start = new(1, 1);

    public int CompareTo(TomlPosition other) => Line == other.Line ? Column.CompareTo(other.Column) : Line.CompareTo(other.Line);

    public override string ToString() => $"{Line}:{Column}";
}

/// <summary>A breach of the TOML grammar or of its rules on tables.</summary>
/// <param name="Message">A sentence without the offending value: an unquoted secret must not reach a log by way of a syntax error.</param>
internal readonly record struct TomlProblem(TomlPosition At, string Message);
