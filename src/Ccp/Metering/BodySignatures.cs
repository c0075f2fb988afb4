using System.Text.Json;

namespace Ccp.Metering;

/// <summary>Finds the signatures of thinking blocks in an answer that comes as one JSON document, piece by piece as it passes.</summary>
/// <remarks>
/// Not when the document is whole: by then the client may have asked its next question. Where a block's signature stands tells it from what only has its name:
/// <c>content[].signature</c>, and <c>content[].data</c> of thinking that is not shown. Errors: none, whatever the bytes; what cannot be read has no signatures.
/// </remarks>
internal sealed class BodySignatures(SignatureSeen seen)
{
    /// <summary>Depth of the document's own members, and of those of the objects in a list among them.</summary>
    private const int MessageDepth = 1;
    private const int BlockDepth = 3;

    /// <summary>A string that has not ended is looked at anew with each piece. One as long as this ends the search.</summary>
    private const int UnreadBytesMax = 4 * 1024 * 1024;

    private readonly SignaturePieces _pieces = new(seen);
    private JsonReaderState _state = new(JsonText.ReaderOptions);
    private int _bytesRead;
    private bool _isInContent;
    private bool _isSignature;
    private bool _isUnreadable;

    /// <param name="sofar">The whole answer as far as it has come.</param>
    public void Observe(ReadOnlySpan<byte> sofar)
    {
        if (_isUnreadable || sofar.Length - _bytesRead > UnreadBytesMax)
        {
            _isUnreadable = true;
            return;
        }

        try
        {
            var reader = new Utf8JsonReader(sofar[_bytesRead..], isFinalBlock: false, _state);
            while (reader.Read())
            {
                Look(ref reader);
            }

            _bytesRead += (int)reader.BytesConsumed;
            _state = reader.CurrentState;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            _isUnreadable = true;
        }
    }

    private void Look(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.CurrentDepth == MessageDepth)
            {
                _isInContent = reader.ValueTextEquals("content"u8);
            }

            _isSignature = _isInContent && reader.CurrentDepth == BlockDepth && (reader.ValueTextEquals("signature"u8) || reader.ValueTextEquals("data"u8));
            return;
        }

        if (_isSignature && reader.TokenType == JsonTokenType.String)
        {
            _pieces.Add(ref reader);
            _pieces.EndBlock();
        }

        _isSignature = false;
    }
}
