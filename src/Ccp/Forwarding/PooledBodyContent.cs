using System.Net;

namespace Ccp.Forwarding;

/// <summary>Sends the bytes of a request body, and knows whether the HTTP client is still reading them.</summary>
/// <remarks>
/// An upstream may answer before it has read everything, and the client library goes on sending after the answer has begun. A buffer given back
/// to the pool in that time would send another user's prompt.
/// </remarks>
internal sealed class PooledBodyContent(ReadOnlyMemory<byte> bytes) : HttpContent
{
    private int _readers;
    private volatile bool _wasRead;

    public bool IsBeingRead => Volatile.Read(ref _readers) > 0;

    /// <summary>True from when there was a connection and the first byte was about to be sent.</summary>
    public bool WasRead => _wasRead;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _readers);
        _wasRead = true;
        try
        {
            await stream.WriteAsync(bytes, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _readers);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = bytes.Length;
        return true;
    }
}
