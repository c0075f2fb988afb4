namespace Ccp.Routing;

internal enum BlockKind
{
    Other,

    /// <summary>Shown or not.</summary>
    Thinking,
    ToolResult,
}

/// <summary>Follows a conversation, block by block: does it end inside a turn, with what a tool said, and does that turn still begin with the thinking that its model began it with?</summary>
/// <remarks>
/// A turn is all that a model says between two questions of a person, whatever tools it calls meanwhile. While it goes on, and thinking is asked for with a budget, the Messages
/// API refuses one that does not begin with thinking; turns that have ended may lack it. docs/decisions/0010-a-tool-loop-that-changes-lanes.md has the sources.
/// </remarks>
internal struct ToolLoop
{
    // Of the message that is being read.
    private bool _isCut;
    private bool _hasToolResult;
    private BlockKind? _first;

    // Of the model's newest turn.
    private bool _hasBegun;
    private bool _wasCut;
    private bool _isLost;

    // Whether a user's message came last, and brings what a tool said.
    private bool _isAsked;
    private bool _isAnswered;

    /// <summary>The turn goes on, and the thinking that it began with was cut out of it.</summary>
    public readonly bool HasLostItsThinking => _isAsked && _isAnswered && _isLost;

    /// <param name="isGone">It is cut out.</param>
    public void Add(BlockKind block, bool isGone)
    {
        _hasToolResult |= block == BlockKind.ToolResult;
        _isCut |= isGone && _first is null;
        if (!isGone)
        {
            _first ??= block;
        }
    }

    /// <summary>Messages of one role that follow one another are read as one.</summary>
    public void EndMessage(bool isOfModel, bool isOfUser)
    {
        if (isOfUser)
        {
            _isAnswered = _hasToolResult || (_isAsked && _isAnswered);
            _isAsked = true;
        }
        else if (isOfModel)
        {
            EndMessageOfModel();
        }

        _isCut = _hasToolResult = false;
        _first = null;
    }

    private void EndMessageOfModel()
    {
        if (_isAsked && !_isAnswered)
        {
            _hasBegun = _wasCut = _isLost = false;
        }

        _isAsked = _isAnswered = false;
        if (!_hasBegun)
        {
            _wasCut |= _isCut;
            _hasBegun = _first is not null;
            _isLost = _wasCut && _hasBegun && _first != BlockKind.Thinking;
        }
    }
}
