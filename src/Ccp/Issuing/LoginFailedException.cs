namespace Ccp.Issuing;

/// <summary>A login that brought no license. The message says why, and what to do.</summary>
internal sealed class LoginFailedException(string message, Exception? inner = null) : InvalidOperationException(message, inner)
{
    /// <summary>What came and did not count; its invite is spent. Null: nothing came.</summary>
    public byte[]? Pack { get; init; }
}
