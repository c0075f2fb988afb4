namespace Ccp.Store;

/// <summary>The store cannot be opened or written now. The message is for the operator and holds no secret.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True when another ccp has it open.</summary>
    public bool IsInUse { get; init; }
}
