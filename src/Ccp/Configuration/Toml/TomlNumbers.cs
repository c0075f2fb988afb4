using System.Globalization;

namespace Ccp.Configuration.Toml;

/// <summary>Integers and floats. The grammar is checked here by hand, because the framework's parsers forgive what TOML refuses.</summary>
internal static class TomlNumbers
{
    /// <returns>Null when <paramref name="word"/> is not a number, or an integer that needs more than 64 bits.</returns>
    public static TomlValue? TryRead(TomlPosition at, string word)
    {
        if (word.StartsWith("0x", StringComparison.Ordinal))
        {
            return ReadPrefixed(at, word, 16);
        }

        if (word.StartsWith("0o", StringComparison.Ordinal))
        {
            return ReadPrefixed(at, word, 8);
        }

        if (word.StartsWith("0b", StringComparison.Ordinal))
        {
            return ReadPrefixed(at, word, 2);
        }

        var unsigned = word.AsSpan(word.Length > 0 && word[0] is '+' or '-' ? 1 : 0);
        if (unsigned is "inf")
        {
            return new TomlFloat(at, word, word[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity);
        }

        return unsigned is "nan" ? new TomlFloat(at, word, double.NaN) : ReadDecimal(at, word, unsigned);
    }

    private static TomlValue? ReadDecimal(TomlPosition at, string word, ReadOnlySpan<char> unsigned)
    {
        var rest = unsigned;
        var whole = TakeDigits(ref rest);
        if (whole == 0 || (whole > 1 && unsigned[0] == '0'))
        {
            return null;
        }

        var plain = word.Replace("_", "", StringComparison.Ordinal);
        if (rest.IsEmpty)
        {
            return long.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                ? new TomlInteger(at, word, value)
                : null;
        }

        if (rest[0] == '.')
        {
            rest = rest[1..];
            if (TakeDigits(ref rest) == 0)
            {
                return null;
            }
        }

        if (!rest.IsEmpty && rest[0] is 'e' or 'E')
        {
            rest = rest[(rest.Length > 1 && rest[1] is '+' or '-' ? 2 : 1)..];
            if (TakeDigits(ref rest) == 0)
            {
                return null;
            }
        }

        return rest.IsEmpty && double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? new TomlFloat(at, word, number)
            : null;
    }

    /// <summary>Takes digits in which single underscores stand only between two digits.</summary>
    /// <returns>The length taken; 0 when there is no digit or an underscore is out of place.</returns>
    private static int TakeDigits(ref ReadOnlySpan<char> rest)
    {
        var length = 0;
        while (length < rest.Length && (char.IsAsciiDigit(rest[length]) || rest[length] == '_'))
        {
            length++;
        }

        var digits = rest[..length];
        rest = rest[length..];
        return HasGoodUnderscores(digits) ? length : 0;
    }

    private static TomlInteger? ReadPrefixed(TomlPosition at, string word, int radix)
    {
        var digits = word.AsSpan(2);
        if (!HasGoodUnderscores(digits))
        {
            return null;
        }

        long value = 0;
        foreach (var c in digits)
        {
            if (c == '_')
            {
                continue;
            }

            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(char.ToString(c), 16) : radix;
            if (digit >= radix || value > (long.MaxValue - digit) / radix)
            {
                return null;
            }

            value = (value * radix) + digit;
        }

        return new TomlInteger(at, word, value);
    }

    private static bool HasGoodUnderscores(ReadOnlySpan<char> digits) =>
        !digits.IsEmpty && digits[0] != '_' && digits[^1] != '_' && digits.IndexOf("__", StringComparison.Ordinal) < 0;
}
