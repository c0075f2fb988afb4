using System.Text.Json;

namespace Ccp.Metering;

/// <summary>Told of the signature of a thinking block that is on its way to the client, before the bytes that end it have gone.</summary>
/// <param name="signature">JSON escapes undone. Valid during the call only.</param>
internal delegate void SignatureSeen(ReadOnlySpan<byte> signature);

/// <summary>Puts the signature of a thinking block together from its pieces, and tells of it when the block ends.</summary>
/// <remarks>
/// A stream brings it in a delta of its own, in principle in several. Some clients join them and some keep the last one, so what may come back is either: both are told of.
/// Source: https://docs.claude.com/en/docs/build-with-claude/streaming, and the SDK, which keeps the last (read 2026-11).
/// </remarks>
internal sealed class SignaturePieces(SignatureSeen seen)
{
    /// <summary>Signatures have some thousand bytes. More than this is none, and is not held.</summary>
    public const int BytesMax = 1024 * 1024;

    private byte[] _joined = [];
    private int _length;
    private int _lastStart;

    /// <summary>Goes from the name of a signature into its value and keeps it, when it is a string.</summary>
    public void Read(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            Add(ref reader);
        }
        else
        {
            reader.Skip();
        }
    }

    /// <param name="reader">On a string.</param>
    public void Add(ref Utf8JsonReader reader)
    {
        // Unescaped it can only be shorter.
        var length = reader.ValueSpan.Length;
        if (length > BytesMax - _length)
        {
            _length = _lastStart = 0;
            return;
        }

        if (length == 0)
        {
            // How a stream announces a signature that is still to come.
            return;
        }

        if (_length + length > _joined.Length)
        {
            Array.Resize(ref _joined, Math.Max(_length + length, 2 * _joined.Length));
        }

        _lastStart = _length;
        _length += reader.CopyString(_joined.AsSpan(_length));
    }

    public void EndBlock()
    {
        if (_length > 0)
        {
            seen(_joined.AsSpan(0, _length));
            if (_lastStart > 0)
            {
                seen(_joined.AsSpan(_lastStart, _length - _lastStart));
            }
        }

        _length = _lastStart = 0;
    }
}
