using System.Text.Json;
using Ccp.Pricing;

namespace Ccp.Metering;

/// <summary>The token counts of one usage object, or of one pass in it, as sent. Null: not named, or not believable.</summary>
internal struct ReportedTokens
{
    /// <summary>No model reads or writes this much in one answer; a larger number is a fault, and must not become a bill.</summary>
    public const long TokensMax = 10_000_000;

    public long? Input;
    public long? CacheWrite;
    public long? CacheWrite5m;
    public long? CacheWrite1h;
    public long? CacheRead;
    public long? Output;

    public readonly bool HasNonZero =>
        Input > 0 || CacheWrite > 0 || CacheWrite5m > 0 || CacheWrite1h > 0 || CacheRead > 0 || Output > 0;

    /// <summary>By price class. Written tokens whose lifetime was not said are the five-minute ones.</summary>
    public readonly TokenUsage ToUsage()
    {
        var written5m = CacheWrite5m ?? 0;
        var written1h = CacheWrite1h ?? 0;
        var remainder = Math.Max(0, (CacheWrite ?? 0) - written5m - written1h);
        return new TokenUsage(Input ?? 0, written5m + remainder, written1h, CacheRead ?? 0, Output ?? 0);
    }

    /// <summary>Takes the member whose name <paramref name="reader"/> stands on, if it is a token count.</summary>
    /// <param name="isSuspect">Set when the member holds something that cannot be a count.</param>
    /// <returns>False for any other member; the reader then still stands on its name.</returns>
    public bool TryRead(ref Utf8JsonReader reader, ref bool isSuspect)
    {
        if (reader.ValueTextEquals("input_tokens"u8))
        {
            Input = ReadCount(ref reader, ref isSuspect);
        }
        else if (reader.ValueTextEquals("output_tokens"u8))
        {
            Output = ReadCount(ref reader, ref isSuspect);
        }
        else if (reader.ValueTextEquals("cache_read_input_tokens"u8))
        {
            CacheRead = ReadCount(ref reader, ref isSuspect);
        }
        else if (reader.ValueTextEquals("cache_creation_input_tokens"u8))
        {
            CacheWrite = ReadCount(ref reader, ref isSuspect);
        }
        else if (reader.ValueTextEquals("cache_creation"u8))
        {
            ReadSplit(ref reader, ref isSuspect);
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>Reads the value of the member <paramref name="reader"/> stands on.</summary>
    /// <returns>Null for a JSON null, and for anything that is not a whole number from 0 to <see cref="TokensMax"/>.</returns>
    public static long? ReadCount(ref Utf8JsonReader reader, ref bool isSuspect)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        // As a decimal, so that 12.0 and 1.2e1 are the twelve they are in the language most servers are written in.
        if (reader.TokenType == JsonTokenType.Number
            && reader.TryGetDecimal(out var count)
            && count is >= 0 and <= TokensMax
            && count == decimal.Truncate(count))
        {
            return (long)count;
        }

        isSuspect = true;
        reader.Skip();
        return null;
    }

    private void ReadSplit(ref Utf8JsonReader reader, ref bool isSuspect)
    {
        if (!reader.TryEnterObject())
        {
            return;
        }

        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("ephemeral_5m_input_tokens"u8))
            {
                CacheWrite5m = ReadCount(ref reader, ref isSuspect);
            }
            else if (reader.ValueTextEquals("ephemeral_1h_input_tokens"u8))
            {
                CacheWrite1h = ReadCount(ref reader, ref isSuspect);
            }
            else
            {
                reader.Skip();
            }
        }
    }
}
