using System.Text.Json;
using Ccp.Refusals;

namespace Ccp.Routing;

/// <summary>Reads the model, the stream flag, the output limit and the session out of a request, and estimates the size of its prompt.</summary>
/// <remarks>
/// Shape: a Messages API request, https://docs.claude.com/en/api/messages. It carries fields that no document lists yet, so nothing else is looked at and no
/// document is built: one pass over the bytes, no copy of the prompt.
/// </remarks>
internal static class RequestPeek
{
    /// <summary>Bytes of JSON that come to one token, in tenths: 3.2.</summary>
    private const int TenthsOfBytesPerToken = 32;

    /// <summary>What an image, or a page of a document, costs about.</summary>
    private const int TokensPerPicture = 1_600;

    /// <summary>Base64 bytes that a page of a document takes about.</summary>
    private const int BytesPerPage = 100_000;

    /// <summary>The largest context window on offer.</summary>
    private const long ContextWindowTokens = 1_000_000;

    /// <summary>Longer names are nobody's, and would be written down with every call.</summary>
    private const int NameLengthMax = 256;

    /// <summary>Shorter strings named <c>data</c> are counted as text.</summary>
    private const int PictureBytesMin = 256;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = 512 };

    public static Decision<RequestFacts> Read(ReadOnlySpan<byte> body)
    {
        var reader = new Peek(body, Strict);
        try
        {
            return reader.Read();
        }
        catch (JsonException)
        {
            return Malformed("The request body is not valid JSON.");
        }
        catch (InvalidOperationException)
        {
            // A string with a broken escape or broken UTF-8.
            return Malformed("The request body holds text that is not valid UTF-8.");
        }
    }

    private static Refusal Malformed(string message) => new(RefusalCode.BodyMalformed, message);

    private ref struct Peek(ReadOnlySpan<byte> body, JsonReaderOptions options)
    {
        private readonly int _bodyBytes = body.Length;
        private Utf8JsonReader _reader = new(body, options);
        private string? _model;
        private bool? _stream;
        private long? _maxTokens;
        private string? _session;
        private bool _hasSafeguards;
        private int _sourceDepth;
        private long _pictureBytes;
        private long _pictureTokens;

        public Decision<RequestFacts> Read()
        {
            if (!_reader.Read() || _reader.TokenType != JsonTokenType.StartObject)
            {
                return Malformed("The request body must be a JSON object.");
            }

            while (_reader.Read())
            {
                if (_reader.TokenType == JsonTokenType.PropertyName)
                {
                    var problem = _reader.CurrentDepth == 1 ? ReadTopLevel() : ReadNested();
                    if (problem is not null)
                    {
                        return problem;
                    }
                }
            }

            if (string.IsNullOrWhiteSpace(_model))
            {
                return Malformed("The request names no model: \"model\" must be a non-empty string.");
            }

            if (_model.Length > NameLengthMax)
            {
                return Malformed($"\"model\" must be a name of at most {NameLengthMax} characters.");
            }

            var textBytes = Math.Max(0, _bodyBytes - _pictureBytes);
            var prompt = Math.Min(ContextWindowTokens, (textBytes * 10 / TenthsOfBytesPerToken) + _pictureTokens);
            return new RequestFacts(_model, _stream ?? false, _maxTokens, prompt, _session, _hasSafeguards);
        }

        private Refusal? ReadTopLevel()
        {
            if (_reader.ValueTextEquals("model"u8))
            {
                _reader.Read();
                return _reader.TokenType != JsonTokenType.String ? Malformed("\"model\" must be a string.")
                    : _model is not null ? Twice("model")
                    : Keep(ref _model, _reader.GetString());
            }

            if (_reader.ValueTextEquals("stream"u8))
            {
                _reader.Read();
                return _reader.TokenType is not (JsonTokenType.True or JsonTokenType.False) ? Malformed("\"stream\" must be true or false.")
                    : _stream is not null ? Twice("stream")
                    : Keep(ref _stream, _reader.TokenType == JsonTokenType.True);
            }

            if (_reader.ValueTextEquals("max_tokens"u8))
            {
                _reader.Read();
                return _reader.TokenType != JsonTokenType.Number || !_reader.TryGetInt64(out var tokens) || tokens < 0 ? Malformed("\"max_tokens\" must be a whole number.")
                    : _maxTokens is not null ? Twice("max_tokens")
                    : Keep(ref _maxTokens, tokens);
            }

            _hasSafeguards |= _reader.ValueTextEquals("safeguards"u8);

            return null;
        }

        private Refusal? ReadNested()
        {
            if (_reader.ValueTextEquals("source"u8))
            {
                _sourceDepth = _reader.CurrentDepth + 1;
            }
            else if (_reader.CurrentDepth == _sourceDepth && _reader.ValueTextEquals("data"u8))
            {
                _reader.Read();
                if (_reader.TokenType == JsonTokenType.String && _reader.ValueSpan.Length >= PictureBytesMin)
                {
                    _pictureBytes += _reader.ValueSpan.Length;
                    _pictureTokens += TokensPerPicture * (1 + (_reader.ValueSpan.Length / BytesPerPage));
                }
            }
            else if (_reader.CurrentDepth == 2 && _session is null && _reader.ValueTextEquals("user_id"u8))
            {
                _reader.Read();
                _session = _reader.TokenType == JsonTokenType.String ? SessionIn(_reader.GetString()!) : null;
            }

            return null;
        }

        // Two parsers may read a repeated name two ways, and one of them sends the bill.
        private static Refusal Twice(string name) => Malformed($"The request names \"{name}\" twice; send it once.");

        private static Refusal? Keep<T>(ref T field, T value)
        {
            field = value;
            return null;
        }

        /// <summary>Claude Code puts a JSON object into the string: <c>{"session_id":"…", …}</c>.</summary>
        private static string? SessionIn(string userId)
        {
            if (!userId.StartsWith('{'))
            {
                return null;
            }

            try
            {
                using var document = JsonDocument.Parse(userId);
                return document.RootElement.TryGetProperty("session_id"u8, out var session)
                    && session.ValueKind == JsonValueKind.String
                    && session.GetString() is { Length: > 0 and <= NameLengthMax } id
                    ? id
                    : null;
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException)
            {
                return null;
            }
        }
    }
}
