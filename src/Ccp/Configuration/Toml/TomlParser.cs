namespace Ccp.Configuration.Toml;

/// <summary>Statements here; keys, arrays and inline tables in the other half.</summary>
/// <remarks>
/// Errors: a header or a plain value that cannot be read costs its line, a key defined twice costs nothing, and reading goes on, so
/// that an operator sees several mistakes at once. Anything else ends the reading: past an unclosed bracket every later complaint
/// would be about text that is fine.
/// </remarks>
internal sealed partial class TomlParser(string text, List<TomlProblem> problems)
{
    /// <summary>Levels of tables and arrays inside one another, counted together. Bounds the stack, and the patience of what reads the tree.</summary>
    private const int DepthMax = 64;
    private const int ProblemsMax = 100;

    private readonly TomlScanner _scanner = new(text, problems);
    private readonly TomlTree _tree = new(problems);
    private TomlTable? _current;
    private int _currentDepth;

    /// <returns>The tree, every key of the text in it; null when some of the text could not be placed.</returns>
    public TomlTable? Parse()
    {
        _current = _tree.Root;
        var complete = true;
        while (!_scanner.AtEnd && problems.Count < ProblemsMax)
        {
            _scanner.SkipBlanks();
            if (_scanner.Peek() == '[')
            {
                if (!ReadHeader())
                {
                    // What follows belongs to a table nobody can name; it is still read for its own mistakes.
                    _current = new TomlTable(_scanner.At, TomlTableOrigin.Header);
                    _scanner.SkipLine();
                    complete = false;
                }
            }
            else if (_scanner.AtEnd || _scanner.AtNewline || _scanner.Peek() == '#')
            {
                if (!_scanner.EndLine())
                {
                    return null;
                }
            }
            else if (!ReadKeyValue())
            {
                return null;
            }
        }

        return complete && _scanner.AtEnd ? _tree.Root : null;
    }

    private bool ReadHeader()
    {
        var at = _scanner.At;
        var isElement = _scanner.StartsWith("[[");
        _scanner.Skip(isElement ? 2 : 1);
        _scanner.SkipBlanks();
        if (ReadKey(depth: 0) is not { } path)
        {
            return false;
        }

        if (!_scanner.StartsWith(isElement ? "]]" : "]"))
        {
            return _scanner.Fail(isElement ? "expected \"]]\" after the table's name" : "expected \"]\" after the table's name");
        }

        _scanner.Skip(isElement ? 2 : 1);
        if (!_scanner.EndLine())
        {
            return false;
        }

        _currentDepth = path.Count;
        _current = (isElement ? _tree.OpenElement(path, at) : _tree.OpenTable(path, at)) ?? new TomlTable(at, TomlTableOrigin.Header);
        return true;
    }

    private bool ReadKeyValue()
    {
        if (ReadKey(_currentDepth) is not { } path || !TakeEquals())
        {
            return false;
        }

        var at = _scanner.At;
        var isPlain = _scanner.Peek() is not ('[' or '{') && !TomlStrings.OpensSeveralLines(_scanner);
        if (ReadValue(_currentDepth + path.Count) is { } value)
        {
            _tree.Put(_current!, path, value);
            return _scanner.EndLine();
        }

        if (!isPlain)
        {
            return false;
        }

        _tree.Put(_current!, path, new TomlBroken(at));
        _scanner.SkipLine();
        return true;
    }

    private bool TakeEquals()
    {
        if (_scanner.Peek() != '=')
        {
            return _scanner.Fail("expected \"=\" after the key");
        }

        _scanner.Take();
        _scanner.SkipBlanks();
        return true;
    }
}
