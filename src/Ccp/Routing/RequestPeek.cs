using System.Text.Json;
using Ccp.Pricing;
using Ccp.Refusals;

namespace Ccp.Routing;

/// <summary>Reads the model, the stream flag, the output limit, the terms and the session out of a request, and estimates the size of its prompt.</summary>
/// <remarks>
/// Shape: a Messages API request, https://docs.claude.com/en/api/messages. It carries fields that no document lists yet, so nothing else is looked at and no
/// document is built: one pass over the bytes, no copy of the prompt.
/// </remarks>
internal static class RequestPeek
{
    /// <summary>Longer names are nobody's, and would be written down with every call.</summary>
    private const int NameLengthMax = 256;

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
            return BrokenText();
        }
    }

    /// <summary>For a string with half a surrogate, written as an escape, or with broken UTF-8.</summary>
    public static Refusal BrokenText() => Malformed("The request body holds text that is not valid UTF-8.");

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
        private string? _inferenceGeo;
        private string? _speed;
        private PromptEstimate _prompt;

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
                else if (_reader.TokenType == JsonTokenType.EndObject)
                {
                    _prompt.EndObject(_reader);
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

            return new RequestFacts(_model, _stream ?? false, _maxTokens, _prompt.TokensOf(_bodyBytes), _session, _hasSafeguards, new PriceTerms(_inferenceGeo, _speed));
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

            if (_reader.ValueTextEquals("inference_geo"u8))
            {
                ReadTerm(ref _inferenceGeo, PriceTerms.Us);
            }
            else if (_reader.ValueTextEquals("speed"u8))
            {
                ReadTerm(ref _speed, PriceTerms.Fast);
            }
            else if (!_reader.ValueTextEquals("messages"u8) && !_reader.ValueTextEquals("metadata"u8))
            {
                _hasSafeguards |= _reader.ValueTextEquals("safeguards"u8);
                _reader.Skip();
            }

            return null;
        }

        /// <summary>Kept only where it has a price of its own. Named twice, the dearer counts: what the provider reports decides in the end.</summary>
        private void ReadTerm(ref string? field, string priced)
        {
            _reader.Read();
            field = _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals(priced) ? priced : field;
            _reader.Skip();
        }

        private Refusal? ReadNested()
        {
            if (_reader.CurrentDepth == 2 && _session is null && _reader.ValueTextEquals("user_id"u8))
            {
                _reader.Read();
                _session = _reader.TokenType == JsonTokenType.String ? SessionIn(_reader.GetString()!) : null;
                _reader.Skip();
            }
            else if (_reader.ValueTextEquals("source"u8))
            {
                _reader.Read();
                if (_reader.TokenType == JsonTokenType.StartObject)
                {
                    _prompt.BeginSource(_reader);
                }
                else
                {
                    _reader.Skip();
                }
            }
            else if (!_reader.ValueTextEquals("content"u8) && !_prompt.TryReadMember(ref _reader))
            {
                // Pictures are in the content of messages and of what is in it. The input of a tool and the like may look as it will: it is text.
                _reader.Skip();
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
