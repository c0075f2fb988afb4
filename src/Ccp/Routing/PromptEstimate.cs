using System.Text.Json;

namespace Ccp.Routing;

/// <summary>Estimates the tokens of a prompt from the size of its JSON: all of it is text, but for the pictures, which count by their number.</summary>
/// <remarks>
/// Shape: a picture, or a document of pages, is a <c>source</c> of type <c>base64</c>, or one that is only named, by <c>url</c> or <c>file</c>. A source of
/// another type is text, and so is what cannot be told for certain: a prompt that is taken for too small is served below its price.
/// Source: https://docs.claude.com/en/api/messages (read 2026-08).
/// </remarks>
internal struct PromptEstimate
{
    /// <summary>Bytes of JSON that come to one token, in tenths: 3.2.</summary>
    private const int TenthsOfBytesPerToken = 32;

    /// <summary>What an image, or a page of a document, costs about.</summary>
    private const int TokensPerPicture = 1_600;

    /// <summary>Base64 bytes that a page of a document takes about.</summary>
    private const int BytesPerPage = 100_000;

    /// <summary>Shorter data is counted as text.</summary>
    private const int PictureBytesMin = 256;

    /// <summary>The largest context window on offer.</summary>
    private const long ContextWindowTokens = 1_000_000;

    /// <summary>Of the members of the source that is being read; 0 outside of one.</summary>
    private int _memberDepth;
    private SourceType _type;
    private long _dataBytes;
    private long _pictureBytes;
    private long _pictureTokens;

    private enum SourceType
    {
        Unknown,
        Base64,
        Named,
        Text,
    }

    /// <summary>What a prompt of this estimate may have at most: no token is shorter than a byte.</summary>
    public static long MostFor(long estimate) => Math.Min(ContextWindowTokens, estimate * TenthsOfBytesPerToken / 10);

    /// <param name="reader">On the start of the object.</param>
    public void BeginSource(in Utf8JsonReader reader)
    {
        // One inside another ends the outer one: what is left of that is text.
        _memberDepth = reader.CurrentDepth + 1;
        _type = SourceType.Unknown;
        _dataBytes = 0;
    }

    /// <summary>Reads the member whose name <paramref name="reader"/> stands on, if it is one of a source and says what this one is.</summary>
    /// <returns>False for any other member; the reader then still stands on its name.</returns>
    public bool TryReadMember(ref Utf8JsonReader reader)
    {
        if (reader.CurrentDepth != _memberDepth)
        {
            return false;
        }

        if (reader.ValueTextEquals("type"u8))
        {
            reader.Read();

            // Named twice, it could be read two ways.
            _type = _type == SourceType.Unknown ? TypeAt(reader) : SourceType.Text;
        }
        else if (reader.ValueTextEquals("data"u8))
        {
            reader.Read();
            _dataBytes += reader.TokenType == JsonTokenType.String ? reader.ValueSpan.Length : 0;
        }
        else
        {
            return false;
        }

        reader.Skip();
        return true;
    }

    /// <param name="reader">On the end of an object, any.</param>
    public void EndObject(in Utf8JsonReader reader)
    {
        if (reader.CurrentDepth != _memberDepth - 1)
        {
            return;
        }

        _memberDepth = 0;
        if (_type == SourceType.Base64 && _dataBytes >= PictureBytesMin)
        {
            _pictureBytes += _dataBytes;
            _pictureTokens += TokensPerPicture * (1 + (_dataBytes / BytesPerPage));
        }
        else if (_type == SourceType.Named)
        {
            _pictureTokens += TokensPerPicture;
        }
    }

    /// <param name="bodyBytes">Of the whole request.</param>
    public readonly long TokensOf(long bodyBytes) =>
        Math.Min(ContextWindowTokens, (Math.Max(0, bodyBytes - _pictureBytes) * 10 / TenthsOfBytesPerToken) + _pictureTokens);

    private static SourceType TypeAt(in Utf8JsonReader reader) =>
        reader.TokenType != JsonTokenType.String ? SourceType.Text
        : reader.ValueTextEquals("base64"u8) ? SourceType.Base64
        : reader.ValueTextEquals("url"u8) || reader.ValueTextEquals("file"u8) ? SourceType.Named
        : SourceType.Text;
}
