namespace Ccp.Limits;

/// <summary>How much room a call that costs nothing takes while it is in progress, in parts of what the largest body takes.</summary>
/// <remarks>
/// Free calls take no place of a user's model calls: /context counts tokens 26 times at once, and must not wait for an answer that is being written. But their
/// bodies lie in memory as those do. So they share room of their own, as much as the user's model calls at their largest.
/// </remarks>
internal static class FreeRoom
{
    /// <summary>One place has room for one of the largest bodies, or for so many small ones: more than a client counts at once.</summary>
    public const int PartsOfAPlace = 32;

    /// <param name="bodyBytes">As announced; null: it may be as large as any.</param>
    /// <param name="bodyBytesMax">More is refused anyway.</param>
    public static int PartsOf(long? bodyBytes, long bodyBytesMax)
    {
        var bytes = Math.Min(bodyBytes ?? bodyBytesMax, bodyBytesMax);
        var bytesOfAPart = Math.Max(1, bodyBytesMax / PartsOfAPlace);
        return (int)Math.Clamp((bytes + bytesOfAPart - 1) / bytesOfAPart, 1, PartsOfAPlace);
    }
}
