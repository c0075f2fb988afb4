namespace Ccp.Routing;

/// <summary>Whether a body may hold thinking. Most hold none, and looking for the words costs a fraction of reading the JSON. No client writes them with escapes.</summary>
internal static class ThinkingWords
{
    public static bool MayBeIn(ReadOnlySpan<byte> body)
    {
        var word = "\"thinking\""u8;
        var rest = body;
        for (var at = rest.IndexOf(word); at >= 0; at = rest.IndexOf(word))
        {
            // A value, such as a block's type, and no name, such as that of the setting.
            if (rest[..at].TrimEnd(" \t\r\n"u8) is [.., (byte)':'])
            {
                return true;
            }

            rest = rest[(at + word.Length)..];
        }

        return body.IndexOf("\"redacted_thinking\""u8) >= 0;
    }
}
