using System.Text;
using System.Text.Json;
using Ccp.Refusals;

namespace Ccp.Routing;

/// <summary>Finds, in one pass or at most two, the pieces of a request's body that a lane wants changed.</summary>
/// <remarks>
/// Providers cache prompts by their exact bytes and sign what they think, so everything around a piece stays as it was sent, white space included. The same
/// body gives the same pieces every time: a conversation keeps its prefix from turn to turn.
/// </remarks>
internal static class BodyEdits
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 512 };

    /// <param name="body">One that <see cref="RequestPeek"/> has read.</param>
    /// <returns>A refusal when it cannot be told what is to be changed: a word that decides it is no text.</returns>
    public static Decision<BodySplice> Find(ReadOnlySpan<byte> body, BodyChanges changes)
    {
        if (changes.IsForeign is not null && !ThinkingWords.MayBeIn(body))
        {
            changes = changes with { IsForeign = null };
        }

        if (changes.AreNone)
        {
            return new BodySplice();
        }

        try
        {
            var pass = new Pass(body, changes, turnsThinkingOff: false);
            var splice = pass.Run();
            return pass.MustTurnThinkingOff ? new Pass(body, changes, turnsThinkingOff: true).Run() : splice;
        }
        catch (InvalidOperationException)
        {
            return RequestPeek.BrokenText();
        }
    }

    /// <param name="turnsThinkingOff">Takes out the setting that asks for thinking, and what is an error without it.</param>
    private ref struct Pass(ReadOnlySpan<byte> body, BodyChanges changes, bool turnsThinkingOff)
    {
        private readonly BodySplice _splice = new();
        private Utf8JsonReader _reader = new(body, Options);
        private ToolLoop _loop;
        private BlockKind _block;
        private bool _isOfModel;
        private bool _isOfUser;
        private bool _hasBudget;

        /// <summary>What was cut out is missing where the Messages API insists on it. It asks then that thinking be turned off, and offers nothing else.</summary>
        public readonly bool MustTurnThinkingOff => _hasBudget && _loop.HasLostItsThinking;

        public BodySplice Run()
        {
            _reader.Read();
            var members = new List<JsonItem>();
            while (ReadMember())
            {
                var start = (int)_reader.TokenStartIndex;
                var isGone = MemberGoes();
                members.Add(new JsonItem(start, (int)_reader.BytesConsumed, isGone));
            }

            _splice.CutOut(members);
            return _splice;
        }

        private bool MemberGoes()
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
            else if (changes.IsForeign is not null && _reader.ValueTextEquals("thinking"u8))
            {
                _hasBudget = ReadObject() && IsOfType("enabled"u8);
                return turnsThinkingOff;
            }
            else if (turnsThinkingOff && _reader.ValueTextEquals("context_management"u8))
            {
                return ReadObject() && HasNothingLeft("edits"u8, Kind.ContextEdits);
            }
            else
            {
                _reader.Skip();
            }

            return false;
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
                if (kind == Kind.Content)
                {
                    _loop.Add(BlockKind.Other, isGone: false);
                }

                return false;
            }

            var items = new List<JsonItem>();
            while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
            {
                var start = (int)_reader.TokenStartIndex;
                _block = BlockKind.Other;
                var isGone = _reader.TokenType == JsonTokenType.StartObject && Goes(kind);
                if (kind == Kind.Content)
                {
                    _loop.Add(_block, isGone);
                }

                if (_reader.TokenType != JsonTokenType.EndObject)
                {
                    _reader.Skip();
                }

                items.Add(new JsonItem(start, (int)_reader.BytesConsumed, isGone));
            }

            _splice.CutOut(items);
            return items.Count > 0 && items.TrueForAll(item => item.IsGone);
        }

        private bool Goes(Kind kind) => kind switch
        {
            Kind.System => IsBillingHeader(),
            Kind.Messages => IsMessageWithNothingLeft(),
            Kind.ContextEdits => IsOfType("clear_thinking"u8),
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
            _isOfModel = _isOfUser = false;
            var isEmpty = HasNothingLeft("content"u8, Kind.Content);
            _loop.EndMessage(_isOfModel, _isOfUser);
            return isEmpty;
        }

        /// <summary>Goes through the list of this name in the current object.</summary>
        /// <returns>True when there was something in it and nothing is left: then the object is to go, and nothing is cut out of it.</returns>
        private bool HasNothingLeft(ReadOnlySpan<byte> list, Kind kind)
        {
            var before = _splice.Count;
            var isEmpty = false;
            while (ReadMember())
            {
                if (_reader.ValueTextEquals(list))
                {
                    isEmpty = EditItems(kind);
                    continue;
                }

                if (_reader.ValueTextEquals("role"u8))
                {
                    _reader.Read();
                    _isOfModel = _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("assistant"u8);
                    _isOfUser = _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("user"u8);
                }

                _reader.Skip();
            }

            if (isEmpty)
            {
                _splice.TakeBack(before);
            }

            return isEmpty;
        }

        private bool IsForeignThinking()
        {
            var (isThinking, isRedacted, isToolResult) = (false, false, false);
            bool? isForeign = null;
            bool? isForeignData = null;
            while (ReadMember())
            {
                if (_reader.ValueTextEquals("type"u8))
                {
                    _reader.Read();
                    isThinking = _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("thinking"u8);
                    isRedacted = _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("redacted_thinking"u8);
                    isToolResult = _reader.TokenType == JsonTokenType.String && _reader.ValueTextEquals("tool_result"u8);
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

            _block = isThinking || isRedacted ? BlockKind.Thinking : isToolResult ? BlockKind.ToolResult : BlockKind.Other;
            return (isThinking && (isForeign ?? changes.IsForeign!([]))) || (isRedacted && (isForeignData ?? changes.IsForeign!([])));
        }

        private bool IsForeignValue()
        {
            _reader.Read();
            if (_reader.TokenType != JsonTokenType.String)
            {
                return changes.IsForeign!([]);
            }

            if (!_reader.ValueIsEscaped)
            {
                return changes.IsForeign!(_reader.ValueSpan);
            }

            var unescaped = new byte[_reader.ValueSpan.Length];
            return changes.IsForeign!(unescaped.AsSpan(0, _reader.CopyString(unescaped)));
        }

        /// <summary>Goes through the object that the reader is on.</summary>
        private bool IsOfType(ReadOnlySpan<byte> beginning)
        {
            var isOfType = false;
            while (ReadMember())
            {
                if (_reader.ValueTextEquals("type"u8))
                {
                    _reader.Read();
                    isOfType = _reader.TokenType == JsonTokenType.String && _reader.ValueSpan.StartsWith(beginning);
                }

                _reader.Skip();
            }

            return isOfType;
        }

        /// <summary>Goes from a member's name into the object that is its value; false when it is none, which is then behind.</summary>
        private bool ReadObject()
        {
            _reader.Read();
            if (_reader.TokenType == JsonTokenType.StartObject)
            {
                return true;
            }

            _reader.Skip();
            return false;
        }

        /// <summary>Moves to the next member's name; false at the end of the object.</summary>
        private bool ReadMember() => _reader.Read() && _reader.TokenType == JsonTokenType.PropertyName;
    }

    private enum Kind
    {
        System,
        Messages,
        Content,
        ContextEdits,
    }
}
