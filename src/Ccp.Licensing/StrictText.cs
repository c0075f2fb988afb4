using System.Text.Json;

namespace Ccp.Licensing;

/// <summary>What is signed is read in one way only: where two readers could see two things, there is nothing to be seen.</summary>
internal static class StrictText
{
    /// <returns>Empty unless the text is the one right way to write its bytes: decoders let stray bits and spaces pass.</returns>
    public static byte[] Base64(string text)
    {
        var bytes = new byte[System.Buffers.Text.Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Convert.TryFromBase64String(text, bytes, out var length) && Convert.ToBase64String(bytes.AsSpan(0, length)) == text
            ? bytes[..length]
            : [];
    }

    /// <summary>Reads the whole document, on a copy of the reader, at every depth.</summary>
    /// <exception cref="JsonException">The bytes are no JSON.</exception>
    /// <exception cref="InvalidOperationException">A name is no text.</exception>
    public static bool HasDuplicateMember(Utf8JsonReader reader)
    {
        var open = new Stack<HashSet<string>>([new(StringComparer.Ordinal)]);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                open.Push(new(StringComparer.Ordinal));
            }
            else if (reader.TokenType == JsonTokenType.EndObject)
            {
                open.Pop();
            }
            else if (reader.TokenType == JsonTokenType.PropertyName && !open.Peek().Add(reader.GetString()!))
            {
                return true;
            }
        }

        return false;
    }
}
