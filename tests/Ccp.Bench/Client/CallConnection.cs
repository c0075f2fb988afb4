using System.Net;
using System.Net.Sockets;

namespace Ccp.Bench.Client;

/// <summary>A connection that is kept, on a thread that waits for it: nothing lies between the kernel and the clock.</summary>
internal sealed class CallConnection(EndPoint endPoint) : IDisposable
{
    private const int AnswersWithinMs = 15_000;

    private readonly byte[] _received = new byte[64 * 1024];
    private readonly AnswerReader _answer = new();
    private Socket? _socket;

    public int Status => _answer.Status;

    public string BodyStart => _answer.BodyStart;

    /// <summary>Nanoseconds from before the request to the first byte of its answer.</summary>
    public long FirstByte { get; private set; }

    /// <summary>Nanoseconds from before the request to the end of its answer.</summary>
    public long Total { get; private set; }

    /// <exception cref="SocketException">The connection broke, or nothing came for a long time.</exception>
    /// <exception cref="BenchFailedException">What came is no whole answer.</exception>
    public void Call(byte[] request)
    {
        _answer.Reset();
        _socket ??= Connect();
        var start = Clock.Now;
        for (var sent = 0; sent < request.Length;)
        {
            sent += _socket.Send(request.AsSpan(sent));
        }

        FirstByte = 0;
        while (true)
        {
            var count = _socket.Receive(_received);
            var now = Clock.Now;
            if (FirstByte == 0)
            {
                FirstByte = now - start;
            }

            if (count == 0)
            {
                throw new BenchFailedException($"The connection was closed within an answer (status {Status}, {_answer.BodyLength} bytes of the body).");
            }

            if (_answer.Feed(_received.AsSpan(0, count), now))
            {
                Total = now - start;
                return;
            }
        }
    }

    /// <summary>The next call makes a new connection.</summary>
    public void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    public void Dispose() => Close();

    private Socket Connect()
    {
        var isUnix = endPoint is UnixDomainSocketEndPoint;
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp) { ReceiveTimeout = AnswersWithinMs };
        try
        {
            if (!isUnix)
            {
                socket.NoDelay = true;
            }

            socket.Connect(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
