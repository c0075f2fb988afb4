using System.Buffers;

namespace Ccp.Metering;

/// <summary>Cuts a server-sent event stream into lines, however the network cut it into chunks.</summary>
/// <remarks>
/// A line ends with <c>\n</c>, <c>\r\n</c> or a lone <c>\r</c>. What is left over of a chunk is carried in a pooled buffer, up to
/// <see cref="LineBytesMax"/>; a longer line is skipped, and counted, and the lines after it are read as before.
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
/// </remarks>
internal sealed class SseLines : IDisposable
{
    /// <summary>Far above any event of the Messages API; it bounds what one upstream can make ccp hold.</summary>
    public const int LineBytesMax = 4 * 1024 * 1024;

    private byte[] _buffer = [];
    private int _carried;
    private bool _isSkipping;
    private bool _isAfterBlank = true;

    // The byte after a carriage return decides whether it ended a line alone or with the line feed that follows.
    private bool _isAfterReturn;

    /// <summary>How many lines were longer than <see cref="LineBytesMax"/> and therefore not handed on.</summary>
    public int SkippedLines { get; private set; }

    /// <summary>True at the start and right after a blank line: here, and only here, another event may be put into the stream.</summary>
    /// <remarks>After a blank line that ended in <c>\r</c>, only once it is known that no <c>\n</c> belongs to it.</remarks>
    public bool IsAtEventBoundary => _isAfterBlank && _carried == 0 && !_isSkipping && !_isAfterReturn;

    /// <summary>Takes the next whole line off the front of <paramref name="chunk"/>.</summary>
    /// <param name="line">Without its ending. Valid until the next call: it may point into the carry buffer.</param>
    /// <returns>False when the chunk is used up; its tail is kept for the next chunk.</returns>
    public bool TryTake(ref ReadOnlySpan<byte> chunk, out ReadOnlySpan<byte> line)
    {
        while (true)
        {
            if (_isAfterReturn && !chunk.IsEmpty)
            {
                _isAfterReturn = false;
                chunk = chunk[0] == '\n' ? chunk[1..] : chunk;
            }

            var end = chunk.IndexOfAny((byte)'\n', (byte)'\r');
            if (end < 0)
            {
                Carry(chunk);
                chunk = default;
                line = default;
                return false;
            }

            var head = chunk[..end];
            _isAfterReturn = chunk[end] == '\r';
            chunk = chunk[(end + 1)..];
            if (_isSkipping || head.Length > LineBytesMax - _carried)
            {
                Skip();
                continue;
            }

            // Nearly every line lies whole within one chunk, and is then handed on without a copy.
            line = _carried == 0 ? head : Join(head);
            _isAfterBlank = line.IsEmpty;
            return true;
        }
    }

    /// <summary>How many bytes of the next chunk, not yet given to <see cref="TryTake"/>, reach to the end of an event: the one the stream is in, or the next.</summary>
    /// <returns>-1 when the chunk does not reach the event's end.</returns>
    public int EventEndIn(ReadOnlySpan<byte> chunk)
    {
        var start = 0;
        if (_isAfterReturn && chunk is [(byte)'\n', ..])
        {
            if (_isAfterBlank)
            {
                return 1;
            }

            start = 1;
        }

        var lineIsEmpty = _carried == 0 && !_isSkipping;
        while (chunk[start..].IndexOfAny((byte)'\n', (byte)'\r') is >= 0 and var length)
        {
            var end = start + length;
            var next = end + (chunk[end] == '\r' && end + 1 < chunk.Length && chunk[end + 1] == '\n' ? 2 : 1);

            // A blank line that ends in a return alone is no place to stop: a line feed may still follow and belong to it.
            if (length == 0 && lineIsEmpty && chunk[next - 1] == '\n')
            {
                return next;
            }

            lineIsEmpty = true;
            start = next;
        }

        return -1;
    }

    public void Dispose()
    {
        ReturnBuffer();
        _carried = 0;
    }

    private void Carry(ReadOnlySpan<byte> tail)
    {
        if (tail.IsEmpty || _isSkipping)
        {
            return;
        }

        if (tail.Length > LineBytesMax - _carried)
        {
            _isSkipping = true;
            return;
        }

        Reserve(_carried + tail.Length);
        tail.CopyTo(_buffer.AsSpan(_carried));
        _carried += tail.Length;
    }

    private ReadOnlySpan<byte> Join(ReadOnlySpan<byte> head)
    {
        Carry(head);
        var line = _buffer.AsSpan(0, _carried);
        _carried = 0;
        return line;
    }

    private void Skip()
    {
        SkippedLines++;
        _isSkipping = false;
        _isAfterBlank = false;
        _carried = 0;
    }

    private void Reserve(int length)
    {
        if (length <= _buffer.Length)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(length, 2 * _buffer.Length));
        _buffer.AsSpan(0, _carried).CopyTo(larger);
        ReturnBuffer();
        _buffer = larger;
    }

    private void ReturnBuffer()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }
}
