using System.Buffers;
using Ccp.Forwarding;
using Ccp.Refusals;
using Ccp.Routing;
using Microsoft.AspNetCore.Http;

namespace Ccp.Relay;

/// <summary>A request's body, whole, in a pooled buffer. Bounded: more than the limit is refused, as far as possible before it is read.</summary>
internal sealed class RequestBody : IDisposable
{
    private const int FirstBufferBytes = 64 * 1024;

    /// <summary>For the whole of it. The web server asks for a pace only, at which 32 MB may take a day and a half.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private readonly List<PooledBodyContent> _sent = [];
    private byte[] _buffer;
    private int _length;

    private RequestBody(byte[] buffer)
    {
        _buffer = buffer;
    }

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <exception cref="IOException">The client went away, or sent something that is not HTTP.</exception>
    public static async ValueTask<Decision<RequestBody>> ReadAsync(HttpRequest request, long bytesMax, TimeProvider time, CancellationToken clientLeft)
    {
        if (request.ContentLength > bytesMax)
        {
            return TooLarge(bytesMax);
        }

        var body = new RequestBody(ArrayPool<byte>.Shared.Rent((int)(request.ContentLength ?? FirstBufferBytes)));
        using var tooLate = new CancellationTokenSource(Longest, time);
        using var leaving = clientLeft.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), tooLate);
        try
        {
            while (true)
            {
                if (body._length == body._buffer.Length)
                {
                    body.Grow();
                }

                var read = await request.Body.ReadAsync(body._buffer.AsMemory(body._length), tooLate.Token);
                if (read == 0)
                {
                    return body;
                }

                body._length += read;
                if (body._length > bytesMax)
                {
                    body.Dispose();
                    return TooLarge(bytesMax);
                }

                // The length was announced and is there: no need to ask once more for nothing.
                if (body._length == request.ContentLength)
                {
                    return body;
                }
            }
        }
        catch (OperationCanceledException) when (!clientLeft.IsCancellationRequested)
        {
            body.Dispose();
            return new Refusal(RefusalCode.BodyTooSlow, $"The request was still on its way after {Longest.TotalMinutes} minutes, and ccp waits no longer for one. Look at your network, or start a new conversation, which is smaller.");
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>What is to be sent once: the same bytes, or, where the lane wants something changed, a copy that never sees a pool.</summary>
    public Decision<PooledBodyContent> ToContent(BodyChanges changes)
    {
        if (!BodyEdits.Find(Bytes, changes).Allows(out var splice, out var refusal))
        {
            return refusal;
        }

        if (!splice.IsEmpty)
        {
            return new PooledBodyContent(splice.Apply(Bytes));
        }

        var content = new PooledBodyContent(_buffer.AsMemory(0, _length));
        _sent.Add(content);
        return content;
    }

    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);

        // Still being sent: left to the garbage collector, since the pool would hand it to someone else.
        if (buffer.Length > 0 && !_sent.Exists(content => content.IsBeingRead))
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Refusal TooLarge(long bytesMax) =>
        new(RefusalCode.BodyTooLarge, $"The request is larger than the {bytesMax} bytes that this proxy accepts. Start a new conversation, or ask your operator to raise server.max_body.");

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        Bytes.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
