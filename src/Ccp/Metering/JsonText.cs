using System.Text.Json;

namespace Ccp.Metering;

/// <summary>Measures JSON strings without decoding them.</summary>
internal static class JsonText
{
    /// <summary>How the meter reads JSON: strictly, but to a depth that tool input may well have.</summary>
    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = 512 };

    /// <summary>How many bytes of UTF-8 the string at <paramref name="reader"/> stands for: an escape counts as its character. Allocates nothing.</summary>
    public static long DecodedLength(ref Utf8JsonReader reader)
    {
        var raw = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
        {
            return raw.Length;
        }

        long length = 0;
        for (var slash = raw.IndexOf((byte)'\\'); slash >= 0; slash = raw.IndexOf((byte)'\\'))
        {
            length += slash;
            raw = raw[slash..];
            if (raw[1] != 'u')
            {
                length++;
                raw = raw[2..];
            }
            else if (char.IsHighSurrogate(CodeUnit(raw)) && raw.Length >= 12 && raw[6..].StartsWith("\\u"u8) && char.IsLowSurrogate(CodeUnit(raw[6..])))
            {
                length += 4;
                raw = raw[12..];
            }
            else
            {
                length += CodeUnit(raw) switch { < (char)0x80 => 1, < (char)0x800 => 2, _ => 3 };
                raw = raw[6..];
            }
        }

        return length + raw.Length;
    }

    private static char CodeUnit(ReadOnlySpan<byte> escape)
    {
        var unit = 0;
        foreach (var digit in escape[2..6])
        {
            unit = (unit << 4) | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return (char)unit;
    }
}
