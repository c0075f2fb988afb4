using System.Globalization;
using System.Text;

namespace Ccp.Configuration.Toml;

/// <summary>The four kinds of string: basic and literal, each on one line or over several.</summary>
internal static class TomlStrings
{
    private const string Basic = "\"\"\"";
    private const string Literal = "'''";

    /// <summary>True when the quotes here open a string that may run over several lines.</summary>
    public static bool OpensSeveralLines(TomlScanner scanner) => scanner.StartsWith(Basic) || scanner.StartsWith(Literal);

    /// <summary>Reads the string whose opening quote is next.</summary>
    /// <returns>Null when a problem was recorded.</returns>
    public static string? Read(TomlScanner scanner) =>
        OpensSeveralLines(scanner) ? ReadSeveralLines(scanner) : ReadOneLine(scanner);

    /// <summary>Reads a string that must end on its line; as a key, <c>""</c> is the empty name and not the start of a long string.</summary>
    public static string? ReadOneLine(TomlScanner scanner)
    {
        var opened = scanner.At;
        var quote = scanner.Take();
        var text = new StringBuilder();
        while (true)
        {
            var next = scanner.Peek();
            if (scanner.AtEnd || scanner.AtNewline)
            {
                scanner.Fail(opened, "this string is not closed on its line");
                return null;
            }

            if (next == quote)
            {
                scanner.Take();
                return text.ToString();
            }

            if (next == '\\' && quote == '"')
            {
                if (!TakeEscape(scanner, text))
                {
                    return null;
                }
            }
            else if (!TakePlain(scanner, text))
            {
                return null;
            }
        }
    }

    private static string? ReadSeveralLines(TomlScanner scanner)
    {
        var opened = scanner.At;
        var quote = scanner.Peek();
        var text = new StringBuilder();
        scanner.Skip(3);

        // A line end right after the opening quotes is layout, not text.
        if (scanner.AtNewline)
        {
            scanner.SkipNewline();
        }

        while (true)
        {
            var next = scanner.Peek();
            if (scanner.AtEnd)
            {
                scanner.Fail(opened, "this string is never closed");
                return null;
            }

            if (scanner.AtNewline)
            {
                // One form of line end, whatever editor wrote the file: the same file means the same text everywhere.
                scanner.SkipNewline();
                text.Append('\n');
            }
            else if (next == quote)
            {
                var run = 1;
                while (run < 6 && scanner.Peek(run) == quote)
                {
                    run++;
                }

                // Up to two quotes may stand directly before the closing three.
                var closes = run >= 3;
                text.Append(quote, closes ? Math.Min(run - 3, 2) : run);
                scanner.Skip(Math.Min(run, 5));
                if (closes)
                {
                    return text.ToString();
                }
            }
            else if (next == '\\' && quote == '"')
            {
                if (!TryTakeLineJoin(scanner) && !TakeEscape(scanner, text))
                {
                    return null;
                }
            }
            else if (!TakePlain(scanner, text))
            {
                return null;
            }
        }
    }

    private static bool TakePlain(TomlScanner scanner, StringBuilder text)
    {
        if (TomlScanner.IsForbiddenControl(scanner.Peek()))
        {
            return scanner.Fail("a string cannot hold a control character; write it as an escape");
        }

        text.Append(scanner.Take());
        return true;
    }

    /// <summary>A backslash at the end of a line swallows the line end and every blank up to the next text.</summary>
    private static bool TryTakeLineJoin(TomlScanner scanner)
    {
        var ahead = 1;
        while (scanner.Peek(ahead) is ' ' or '\t')
        {
            ahead++;
        }

        if (scanner.Peek(ahead) != '\n' && (scanner.Peek(ahead) != '\r' || scanner.Peek(ahead + 1) != '\n'))
        {
            return false;
        }

        scanner.Skip(ahead);
        while (scanner.AtNewline)
        {
            scanner.SkipNewline();
            scanner.SkipBlanks();
        }

        return true;
    }

    private static bool TakeEscape(TomlScanner scanner, StringBuilder text)
    {
        var at = scanner.At;
        scanner.Take();
        var letter = scanner.Peek();
        var plain = letter switch
        {
            'b' => '\b',
            't' => '\t',
            'n' => '\n',
            'f' => '\f',
            'r' => '\r',
            '"' => '"',
            '\\' => '\\',
            _ => '\0',
        };
        if (plain != '\0')
        {
            scanner.Take();
            text.Append(plain);
            return true;
        }

        if (letter is not ('u' or 'U'))
        {
            return scanner.Fail(at, @"TOML knows no such escape; a backslash itself is written \\, or use single quotes");
        }

        scanner.Take();
        return TakeCodePoint(scanner, text, at, letter == 'u' ? 4 : 8);
    }

    private static bool TakeCodePoint(TomlScanner scanner, StringBuilder text, TomlPosition at, int length)
    {
        Span<char> digits = stackalloc char[length];
        for (var i = 0; i < length; i++)
        {
            if (!char.IsAsciiHexDigit(scanner.Peek()))
            {
                return scanner.Fail(at, $"this escape needs {length} hexadecimal digits");
            }

            digits[i] = scanner.Take();
        }

        if (!Rune.TryCreate(uint.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), out var rune))
        {
            return scanner.Fail(at, "there is no such Unicode character");
        }

        text.Append(rune.ToString());
        return true;
    }
}
