using System.Text;
using Ccp.Metering;

namespace Ccp.Tests.Metering;

public sealed class SseLinesTests
{
    [Theory]
    [InlineData("a\nb\n\nc\n", "a|b||c|")]
    [InlineData("a\r\nb\r\n\r\nc\r\n", "a|b||c|")]
    [InlineData("a\rb\r\rc\r", "a|b||c|")]
    [InlineData("a\n\rb\r\n", "a||b|")]
    [InlineData("a\nb", "a|")]
    [InlineData("\n\n", "||")]
    [InlineData("", "")]
    public void Lines_end_as_the_standard_says_wherever_chunks_do(string stream, string lines)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            using var reader = new SseLines();
            Assert.Equal(lines, Take(reader, bytes.AsSpan(0, cut)) + Take(reader, bytes.AsSpan(cut)));
        }
    }

    [Fact]
    public void A_line_of_the_limit_is_read_and_one_byte_more_is_not()
    {
        foreach (var cut in new[] { 0, 100, SseLines.LineBytesMax, SseLines.LineBytesMax + 1 })
        {
            using var reader = new SseLines();
            var longest = Encoding.UTF8.GetBytes(new string('a', SseLines.LineBytesMax) + "\n");
            var tooLong = Encoding.UTF8.GetBytes(new string('a', SseLines.LineBytesMax + 1) + "\nb\n");

            Assert.Equal(SseLines.LineBytesMax + 1, (Take(reader, longest.AsSpan(0, cut)) + Take(reader, longest.AsSpan(cut))).Length);
            Assert.Equal(0, reader.SkippedLines);
            Assert.Equal("b|", Take(reader, tooLong.AsSpan(0, cut)) + Take(reader, tooLong.AsSpan(cut)));
            Assert.Equal(1, reader.SkippedLines);
        }
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("e", false)]
    [InlineData("event: x\n", false)]
    [InlineData("event: x\n\n", true)]
    [InlineData("event: x\r\n\r\n", true)]
    [InlineData("event: x\r\n\r", false)]
    [InlineData("event: x\n\n\n", true)]
    [InlineData("event: x\n\n: comment\n", false)]
    public void Only_the_start_and_a_blank_line_are_a_boundary(string stream, bool isBoundary)
    {
        using var reader = new SseLines();
        Take(reader, Encoding.UTF8.GetBytes(stream));

        Assert.Equal(isBoundary, reader.IsAtEventBoundary);
    }

    /// <summary>
    /// Goal: a stream can be ended between two events, whatever the state of the reader and the next chunk are.
    /// Method: short random streams of line endings and letters, cut in two; the answer must be the first prefix of the second part after
    /// which the reader, fed byte by byte, is at a boundary.
    /// </summary>
    [Fact]
    public void The_end_of_the_event_that_is_under_way_or_comes_next_is_found_in_the_next_chunk()
    {
        var random = new Random(11);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = Enumerable.Range(0, random.Next(1, 12)).Select(_ => "a\n\r\n"u8[random.Next(4)]).ToArray();
            var cut = random.Next(bytes.Length + 1);
            using var reader = new SseLines();
            Take(reader, bytes.AsSpan(0, cut));
            var rest = bytes.AsSpan(cut);
            var answer = reader.EventEndIn(rest);

            var fed = 0;
            while (fed == 0 || (!reader.IsAtEventBoundary && fed < rest.Length))
            {
                Take(reader, rest.Slice(fed, Math.Min(1, rest.Length)));
                fed++;
            }

            Assert.Equal(reader.IsAtEventBoundary && !rest.IsEmpty ? fed : -1, answer);
        }
    }

    private static string Take(SseLines reader, ReadOnlySpan<byte> chunk)
    {
        var lines = new StringBuilder();
        while (reader.TryTake(ref chunk, out var line))
        {
            lines.Append(Encoding.UTF8.GetString(line)).Append('|');
        }

        return lines.ToString();
    }
}
