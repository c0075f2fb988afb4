using System.Buffers.Text;
using System.Text;

namespace Ccp.Bench.Client;

/// <summary>Reads one HTTP/1.1 answer after the other from a connection, and keeps of it only what a measurement needs.</summary>
/// <remarks>Knows bodies with a length and chunked ones. One request is under way at a time, so an answer ends where the bytes do.</remarks>
internal sealed class AnswerReader(StampScanner? stamps = null)
{
    private const int HeadBytesMax = 8 * 1024;

    /// <summary>So much of a body is kept: all of an answer of the administration API, and enough of others to say what went wrong.</summary>
    private const int BodyStartBytes = 4 * 1024;

    private readonly byte[] _head = new byte[HeadBytesMax];
    private readonly byte[] _bodyStart = new byte[BodyStartBytes];
    private State _state;
    private int _headLength;
    private long _left;
    private bool _sawSizeDigit;
    private int _lineLength;

    private enum State
    {
        Head,
        Length,
        ChunkSize,
        ChunkSizeRest,
        ChunkBytes,
        ChunkEnd,
        Trailer,
        Done,
    }

    public int Status { get; private set; }

    public long BodyLength { get; private set; }

    public string BodyStart => Encoding.UTF8.GetString(_bodyStart, 0, (int)Math.Min(BodyLength, BodyStartBytes));

    public void Reset()
    {
        _state = State.Head;
        _headLength = 0;
        Status = 0;
        BodyLength = 0;
    }

    /// <returns>True when the answer is whole.</returns>
    /// <exception cref="BenchFailedException">This is no answer of HTTP/1.1.</exception>
    public bool Feed(ReadOnlySpan<byte> bytes, long now)
    {
        while (!bytes.IsEmpty)
        {
            bytes = _state switch
            {
                State.Head => TakeHead(bytes),
                State.Length or State.ChunkBytes => TakeBody(bytes, now),
                State.Done => throw new BenchFailedException("There are bytes after the end of an answer."),
                _ => TakeFraming(bytes),
            };
        }

        return _state == State.Done;
    }

    private ReadOnlySpan<byte> TakeHead(ReadOnlySpan<byte> bytes)
    {
        // The empty line may be cut anywhere, so it is looked for in what has been put together.
        var taken = Math.Min(bytes.Length, HeadBytesMax - _headLength);
        bytes[..taken].CopyTo(_head.AsSpan(_headLength));
        var from = Math.Max(0, _headLength - 3);
        var end = _head.AsSpan(from, _headLength + taken - from).IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            _headLength += taken;
            return _headLength < HeadBytesMax ? [] : throw new BenchFailedException("The head of an answer is too long.");
        }

        var used = from + end + 4 - _headLength;
        _headLength = from + end + 2;
        ReadHead(_head.AsSpan(0, _headLength));
        return bytes[used..];
    }

    private void ReadHead(ReadOnlySpan<byte> head)
    {
        if (!head.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(head[9..], out int status, out _))
        {
            throw new BenchFailedException($"This is no answer: {Encoding.Latin1.GetString(head)}");
        }

        Status = status;
        if (TryFindHeader(head, "content-length"u8, out var length) && Utf8Parser.TryParse(length, out _left, out _))
        {
            _state = _left == 0 ? State.Done : State.Length;
        }
        else if (TryFindHeader(head, "transfer-encoding"u8, out var coding) && Ascii.EqualsIgnoreCase(coding, "chunked"u8))
        {
            BeginChunk();
        }
        else
        {
            throw new BenchFailedException($"The answer has no length and no chunks: {Encoding.Latin1.GetString(head)}");
        }
    }

    private static bool TryFindHeader(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (head.IndexOf("\r\n"u8) is >= 0 and var end)
        {
            var line = head[..end];
            head = head[(end + 2)..];
            if (line.Length > name.Length && line[name.Length] == ':' && Ascii.EqualsIgnoreCase(line[..name.Length], name))
            {
                value = line[(name.Length + 1)..].Trim((byte)' ');
                return true;
            }
        }

        value = default;
        return false;
    }

    private ReadOnlySpan<byte> TakeBody(ReadOnlySpan<byte> bytes, long now)
    {
        var body = bytes[..(int)Math.Min(bytes.Length, _left)];
        stamps?.Feed(body, now);
        if (BodyLength < BodyStartBytes)
        {
            body[..(int)Math.Min(body.Length, BodyStartBytes - BodyLength)].CopyTo(_bodyStart.AsSpan((int)BodyLength));
        }

        BodyLength += body.Length;
        _left -= body.Length;
        if (_left == 0)
        {
            _state = _state == State.Length ? State.Done : State.ChunkEnd;
        }

        return bytes[body.Length..];
    }

    private ReadOnlySpan<byte> TakeFraming(ReadOnlySpan<byte> bytes)
    {
        var next = bytes[0];
        switch (_state)
        {
            case State.ChunkSize when char.IsAsciiHexDigit((char)next):
                _left = (_left * 16) + (char.IsAsciiDigit((char)next) ? next - '0' : (next | 0x20) - 'a' + 10);
                _sawSizeDigit = true;
                break;
            case State.ChunkSize or State.ChunkSizeRest:
                EndOfSize(next);
                break;
            case State.ChunkEnd when next == '\n':
                BeginChunk();
                break;
            case State.Trailer when next == '\n':
                _state = _lineLength == 0 ? State.Done : State.Trailer;
                _lineLength = 0;
                break;
            case State.Trailer when next != '\r':
                _lineLength++;
                break;
        }

        return bytes[1..];
    }

    private void BeginChunk()
    {
        _state = State.ChunkSize;
        _left = 0;
        _sawSizeDigit = false;
    }

    private void EndOfSize(byte next)
    {
        if (!_sawSizeDigit)
        {
            throw new BenchFailedException("A chunk has no size.");
        }

        _state = next != '\n' ? State.ChunkSizeRest : _left == 0 ? State.Trailer : State.ChunkBytes;
        _lineLength = 0;
    }
}
