using System.Text;
using System.Text.Unicode;

namespace Ccp.Configuration.Toml;

/// <summary>A TOML 1.0 text, read.</summary>
/// <param name="Root">Null when part of the text could not be placed. Beside problems it may still be there, for checking what could be read.</param>
/// <param name="Problems">In the order of the text; empty for a valid one.</param>
internal sealed record TomlDocument(TomlTable? Root, IReadOnlyList<TomlProblem> Problems)
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>Reads UTF-8, with or without a byte order mark. Any bytes give a tree or problems, never an exception.</summary>
    public static TomlDocument Parse(ReadOnlySpan<byte> utf8)
    {
        var bytes = utf8.StartsWith(ByteOrderMark) ? utf8[ByteOrderMark.Length..] : utf8;
        if (!Utf8.IsValid(bytes))
        {
            return new TomlDocument(null, [new TomlProblem(FirstInvalid(bytes), "this is not UTF-8 text")]);
        }

        var problems = new List<TomlProblem>();
        var root = new TomlParser(Encoding.UTF8.GetString(bytes), problems).Parse();
        problems.Sort((left, right) => left.At.CompareTo(right.At));
        return new TomlDocument(root, problems);
    }

    private static TomlPosition FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        var (line, column) = (1, 1);
        while (Rune.DecodeFromUtf8(bytes, out var rune, out var length) == System.Buffers.OperationStatus.Done)
        {
            (line, column) = rune.Value == '\n' ? (line + 1, 1) : (line, column + 1);
            bytes = bytes[length..];
        }

        return new TomlPosition(line, column);
    }
}
