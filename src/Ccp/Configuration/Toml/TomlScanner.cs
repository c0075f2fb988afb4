namespace Ccp.Configuration.Toml;

/// <summary>Walks the text one character at a time and knows its line and column.</summary>
/// <remarks>Errors: methods that can fail record a problem and return false or null; nothing throws.</remarks>
internal sealed class TomlScanner(string text, List<TomlProblem> problems)
{
    private int _offset;
    private int _line = 1;
    private int _column = 1;

    public TomlPosition At => new(_line, _column);

    public bool AtEnd => _offset >= text.Length;

    public bool AtNewline => Peek() == '\n' || (Peek() == '\r' && Peek(1) == '\n');

    /// <summary>NUL past the end. A NUL inside the text is legal nowhere, so the two need no telling apart except in a loop's condition.</summary>
    public char Peek(int ahead = 0) => _offset + ahead < text.Length ? text[_offset + ahead] : '\0';

    public char Take()
    {
        var taken = text[_offset++];
        if (taken == '\n')
        {
            _line++;
            _column = 1;
        }
        else if (!char.IsLowSurrogate(taken))
        {
            // A character outside the basic plane is two chars and one column.
            _column++;
        }

        return taken;
    }

    public void Skip(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Take();
        }
    }

    public bool StartsWith(string prefix) => text.AsSpan(_offset).StartsWith(prefix, StringComparison.Ordinal);

    public void SkipBlanks()
    {
        while (Peek() is ' ' or '\t')
        {
            Take();
        }
    }

    public void SkipNewline() => Skip(Peek() == '\r' ? 2 : 1);

    /// <summary>Gives up on the rest of a line whose problem is already recorded.</summary>
    public void SkipLine()
    {
        while (!AtEnd && Peek() != '\n')
        {
            Take();
        }
    }

    /// <summary>Passes a comment, if one starts here, up to but not including the end of its line.</summary>
    public bool SkipComment()
    {
        if (Peek() != '#')
        {
            return true;
        }

        while (!AtEnd && !AtNewline)
        {
            if (IsForbiddenControl(Peek()))
            {
                return Fail("a comment cannot hold a control character");
            }

            Take();
        }

        return true;
    }

    /// <summary>Passes blanks, comments and line ends: what may stand between the items of an array.</summary>
    public bool SkipSpread()
    {
        while (true)
        {
            SkipBlanks();
            if (!SkipComment())
            {
                return false;
            }

            if (!AtNewline)
            {
                return true;
            }

            SkipNewline();
        }
    }

    /// <summary>Nothing but a comment may follow a statement on its line.</summary>
    public bool EndLine()
    {
        SkipBlanks();
        if (!SkipComment())
        {
            return false;
        }

        if (AtEnd)
        {
            return true;
        }

        if (!AtNewline)
        {
            return Fail("expected the end of the line");
        }

        SkipNewline();
        return true;
    }

    /// <summary>Takes the characters of a number, date or word: everything up to what can end a value.</summary>
    public string TakeWord()
    {
        var start = _offset;
        while (!AtEnd && Peek() is not (' ' or '\t' or '\r' or '\n' or ',' or ']' or '}' or '#'))
        {
            Take();
        }

        return text[start.._offset];
    }

    public bool Fail(string message) => Fail(At, message);

    public bool Fail(TomlPosition at, string message)
    {
        problems.Add(new TomlProblem(at, message));
        return false;
    }

    public static bool IsForbiddenControl(char c) => (c < ' ' && c != '\t') || c == '\x7f';
}
