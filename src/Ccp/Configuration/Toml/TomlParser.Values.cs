namespace Ccp.Configuration.Toml;

/// <summary>What a statement is made of. Each method leaves the scanner behind what it read, or records a problem and gives null.</summary>
internal sealed partial class TomlParser
{
    /// <summary>Reads a key and the blanks after it.</summary>
    private List<TomlKey>? ReadKey(int depth)
    {
        var path = new List<TomlKey>();
        while (true)
        {
            var at = _scanner.At;
            var name = _scanner.Peek() is '"' or '\'' ? TomlStrings.ReadOneLine(_scanner) : ReadBareKey();
            if (name is null)
            {
                return null;
            }

            path.Add(new TomlKey(name, at));
            if (depth + path.Count > DepthMax)
            {
                _scanner.Fail(at, $"nested more than {DepthMax} levels deep");
                return null;
            }

            _scanner.SkipBlanks();
            if (_scanner.Peek() != '.')
            {
                return path;
            }

            _scanner.Take();
            _scanner.SkipBlanks();
        }
    }

    private string? ReadBareKey()
    {
        var length = 0;
        while (char.IsAsciiLetterOrDigit(_scanner.Peek(length)) || _scanner.Peek(length) is '_' or '-')
        {
            length++;
        }

        if (length == 0)
        {
            _scanner.Fail("expected a key: letters, digits, \"_\" and \"-\", or a name in quotes");
            return null;
        }

        return string.Create(length, _scanner, static (name, scanner) =>
        {
            for (var i = 0; i < name.Length; i++)
            {
                name[i] = scanner.Take();
            }
        });
    }

    private TomlValue? ReadValue(int depth)
    {
        var at = _scanner.At;
        if (depth > DepthMax)
        {
            _scanner.Fail(at, $"nested more than {DepthMax} levels deep");
            return null;
        }

        return _scanner.Peek() switch
        {
            '"' or '\'' => TomlStrings.Read(_scanner) is { } read ? new TomlString(at, read) : null,
            '[' => ReadArray(depth + 1),
            '{' => ReadInlineTable(depth + 1),
            _ => ReadWord(at),
        };
    }

    private TomlValue? ReadWord(TomlPosition at)
    {
        var word = _scanner.TakeWord();

        // A date and its time may be parted by one space instead of a T.
        if (TomlDateTimes.LooksLikeDate(word) && _scanner.Peek() == ' ' && char.IsAsciiDigit(_scanner.Peek(1)))
        {
            _scanner.Take();
            word += " " + _scanner.TakeWord();
        }

        if (word is "true" or "false")
        {
            return new TomlBoolean(at, word == "true");
        }

        var value = TomlNumbers.TryRead(at, word) ?? TomlDateTimes.TryRead(at, word);
        if (value is null)
        {
            _scanner.Fail(at, word.Length == 0
                ? "expected a value"
                : "expected a value: text in quotes, a number, true or false, a date, [ ] or { }");
        }

        return value;
    }

    private TomlArray? ReadArray(int depth)
    {
        var array = new TomlArray(_scanner.At, isOpen: false);
        _scanner.Take();
        while (_scanner.SkipSpread())
        {
            if (_scanner.Peek() == ']')
            {
                _scanner.Take();
                return array;
            }

            if (ReadValue(depth) is not { } item || !_scanner.SkipSpread())
            {
                return null;
            }

            array.Add(item);
            if (_scanner.Peek() == ',')
            {
                _scanner.Take();
            }
            else if (_scanner.Peek() != ']')
            {
                _scanner.Fail("expected \",\" or \"]\" in this list");
                return null;
            }
        }

        return null;
    }

    private TomlTable? ReadInlineTable(int depth)
    {
        var table = new TomlTable(_scanner.At, TomlTableOrigin.Inline);
        _scanner.Take();
        _scanner.SkipBlanks();
        if (_scanner.Peek() == '}')
        {
            _scanner.Take();
            return table;
        }

        while (true)
        {
            if (ReadKey(depth) is not { } path || !TakeEquals() || ReadValue(depth + path.Count) is not { } value)
            {
                return null;
            }

            _tree.Put(table, path, value);
            _scanner.SkipBlanks();
            var next = _scanner.Peek();
            if (next is not (',' or '}'))
            {
                _scanner.Fail("expected \",\" or \"}\" on the same line");
                return null;
            }

            _scanner.Take();
            if (next == '}')
            {
                return table;
            }

            _scanner.SkipBlanks();
        }
    }
}
