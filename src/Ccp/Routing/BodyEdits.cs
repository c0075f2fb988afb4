using System.Text;
using System.Text.Json;

namespace Ccp.Routing;

/// <summary>Whether a thinking block with this signature was signed by another lane than the one the request goes to.</summary>
/// <param name="signature">As sent, JSON escapes undone.</param>
internal delegate bool IsForeignSignature(ReadOnlySpan<byte> signature);

/// <summary>What a lane wants changed in a body; nothing else is ever changed.</summary>
/// <param name="Model">Put in the place of the model's name; null leaves it.</param>
/// <param name="StripsBillingHeader">Takes out the block of <c>system</c> that holds <c>x-anthropic-billing-header</c>: it changes with every call and ruins a prefix cache.</param>
/// <param name="IsForeign">Thinking blocks for which it says yes are taken out; null leaves them all.</param>
internal sealed record BodyChanges(string? Model, bool StripsBillingHeader, IsForeignSignature? IsForeign)
{
    public bool AreNone => Model is null && !StripsBillingHeader && IsForeign is null;
}

/// <summary>Finds, in one pass, the pieces of a request's body that a lane wants changed.</summary>
/// <remarks>
/// Providers cache prompts by their exact bytes and sign what they think, so everything around a piece stays as it was sent, white space included. The same
/// body gives the same pieces every time: a conversation keeps its prefix from turn to turn.
/// </remarks>
internal static class BodyEdits
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 512 };

    /// <param name="body">One that <see cref="RequestPeek"/> has read.</param>
    public static BodySplice Find(ReadOnlySpan<byte> body, BodyChanges changes)
    {
        if (changes.IsForeign is not null && !MayHoldSignatures(body))
        {
            changes = changes with { IsForeign = null };
        }

        return changes.AreNone ? new BodySplice() : new Pass(body, changes).Run();
    }

    /// <summary>Most bodies hold none, and looking for the words costs a fraction of reading the JSON. No client writes these names with escapes.</summary>
    private static bool MayHoldSignatures(ReadOnlySpan<byte> body) => body.IndexOf("\"signature\""u8) >= 0 || body.IndexOf("\"redacted_thinking\""u8) >= 0;

    private ref struct Pass(ReadOnlySpan<byte> body, BodyChanges changes)
    {
        private readonly BodySplice _splice = new();
        private Utf8JsonReader _reader = new(body, Options);

        public BodySplice Run()
        {
            _reader.Read();
            while (ReadMember())
            {
                if (changes.Model is { } model && _reader.ValueTextEquals("model"u8))
                {
                    _reader.Read();
                    _splice.Replace((int)_reader.TokenStartIndex, (int)_reader.BytesConsumed, Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(model)}\""));
                }
                else if (changes.StripsBillingHeader && _reader.ValueTextEquals("system"u8))
                {
                    EditItems(Kind.System);
                }
                else if (changes.IsForeign is not null && _reader.ValueTextEquals("messages"u8))
                {
                    EditItems(Kind.Messages);
                }
                else
                {
                    _reader.Skip();
                }
            }

            return _splice;
        }

        /// <summary>Goes through the array that is the current member's value and cuts out what is not to stay.</summary>
        /// <returns>True when there was something and nothing is left.</returns>
        private bool EditItems(Kind kind)
        {
            _reader.Read();
            if (_reader.TokenType != JsonTokenType.StartArray)
            {
                // A text: it has no blocks.
                _reader.Skip();
                return false;
            }

            var items = new List<Item>();
            while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)_reader.TokenStartIndex;
                var isGone = _reader.TokenType == JsonTokenType.StartObject && Goes(kind);
                if (_reader.TokenType != JsonTokenType.EndObject)
                {
                    _reader.Skip();
                }

                items.Add(new Item(start, (int)_reader.BytesConsumed, isGone));
            }

            CutOut(items);
            return items.Count > 0 && items.TrueForAll(item => item.IsGone);
        }

        private bool Goes(Kind kind) => kind switch
        {
            Kind.System => IsBillingHeader(),
            Kind.Messages => IsMessageWithNothingLeft(),
            _ => IsForeignThinking(),
        };

        private bool IsBillingHeader()
        {
            var isBilling = false;
            while (ReadMember())
            {
                if (_reader.ValueTextEquals("text"u8))
                {
                    _reader.Read();
                    isBilling = _reader.TokenType == JsonTokenType.String && _reader.ValueSpan.StartsWith("x-anthropic-billing-header"u8);
                }

                _reader.Skip();
            }

            return isBilling;
        }

        /// <summary>A turn without a block is an error to every provider, so it goes as a whole.</summary>
        private bool IsMessageWithNothingLeft()
        {
            var before = _splice.Count;
            var isEmpty = false;
            while (ReadMember())
            {
                if (_reader.ValueTextEquals("content"u8))
                {
                    isEmpty = EditItems(Kind.Content);
                }
                else
                {
                    _reader.Skip();
                }
            }

            if (isEmpty)
            {
                _splice.TakeBack(before);
            }

            return isEmpty;
        }

        private bool IsForeignThinking()
        {
            var (isThinking, isRedacted, isForeign, isForeignData) = (false, false, false, false);
            while (ReadMember())
            {
                if (_reader.ValueTextEquals("type"u8))
                {
                    _reader.Read();
                    isThinking = _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("thinking"u8);
                    isRedacted = _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("redacted_thinking"u8);
                }
                else if (_reader.ValueTextEquals("signature"u8))
                {
                    isForeign = IsForeignValue();
                }
                else if (_reader.ValueTextEquals("data"u8))
                {
                    isForeignData = IsForeignValue();
                }

                _reader.Skip();
            }

            return (isThinking && isForeign) || (isRedacted && isForeignData);
        }

        private bool IsForeignValue()
        {
            _reader.Read();
            if (_reader.TokenType != JsonTokenType.String)
            {
                return false;
            }

            if (!_reader.ValueIsEscaped)
            {
                return changes.IsForeign!(_reader.ValueSpan);
            }

            var unescaped = new byte[_reader.ValueSpan.Length];
            return changes.IsForeign!(unescaped.AsSpan(0, _reader.CopyString(unescaped)));
        }

        /// <summary>With each item goes one comma: the one before it where something before it stays, else the one after it.</summary>
        private readonly void CutOut(List<Item> items)
        {
            var staysBefore = false;
            for (var index = 0; index < items.Count; index++)
            {
                var item = items[index];
                if (!item.IsGone)
                {
                    staysBefore = true;
                }
                else if (staysBefore)
                {
                    _splice.Cut(items[index - 1].End, item.End);
                }
                else
                {
                    _splice.Cut(item.Start, index + 1 < items.Count ? items[index + 1].Start : item.End);
                }
            }
        }

        /// <summary>Moves to the next member's name; false at the end of the object.</summary>
        private bool ReadMember() => _reader.Read() && _reader.TokenType == JsonTokenType.PropertyName;
    }

    private enum Kind
    {
        System,
        Messages,
        Content,
    }

    private readonly record struct Item(int Start, int End, bool IsGone);
}
