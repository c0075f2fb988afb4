using System.Text;
using Ccp.Metering;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Metering;

/// <summary>Signatures of thinking blocks are seen in passing, in a stream and in one JSON, however the network cuts either.</summary>
public sealed class SignatureTests
{
    [Fact]
    public void A_recorded_stream_gives_its_signature_wherever_it_is_cut()
    {
        var bytes = SseTape.Load("thinking-and-tool").Bytes;
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(["c2ln"], Streamed(bytes, cut));
        }

        Assert.Equal(["c2ln"], Streamed(bytes, [.. Enumerable.Range(0, bytes.Length)]));
    }

    [Fact]
    public void It_is_told_before_the_event_that_ends_the_block_has_gone()
    {
        var seen = new List<string>();
        using var meter = new UsageMeter(signature => seen.Add(Encoding.UTF8.GetString(signature)));
        meter.Observe(Metered.Tape(Metered.Start, Thinking(""), Signature("sig-1")));
        Assert.Empty(seen);
        meter.Observe(Metered.Tape(Stop));
        Assert.Equal(["sig-1"], seen);
    }

    [Fact]
    public void In_pieces_it_is_told_joined_and_as_its_last_piece_since_clients_keep_either() =>
        Assert.Equal(["one-two-three", "three"], Streamed(Metered.Tape(Thinking("one-"), Signature("two-"), Signature(""), Signature("three"), Stop)));

    [Fact]
    public void Each_block_has_its_own() =>
        Assert.Equal(["first", "second", "third"], Streamed(Metered.Tape(
            Thinking(""), Signature("first"), Stop, Thinking("second"), Stop, Thinking(""), Signature("third"), Thinking(""))));

    [Fact]
    public void Thinking_that_is_not_shown_is_known_by_its_data() =>
        Assert.Equal(["secret/data"], Streamed(Metered.Tape("""{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"secret\/data"}}""", Stop)));

    [Fact]
    public void Escapes_are_undone() => Assert.Equal(["a+b/c=€"], Streamed(Metered.Tape(Thinking(""), Signature(@"a\u002Bb\/c=€"), Stop)));

    [Theory]
    [InlineData("""{"type":"content_block_delta","delta":{"type":"text_delta","text":"\"signature\":\"no\""}}""")]
    [InlineData("""{"type":"content_block_delta","delta":{"type":"signature_delta","signature":17}}""")]
    [InlineData("""{"type":"content_block_start","content_block":{"type":"tool_use","input":{"signature":"no","data":"no"}}}""")]
    [InlineData("""{"type":"content_block_start","content_block":{"type":"image","source":{"data":"no"}}}""")]
    [InlineData("""{"type":"message_delta","delta":{"signature":"no"}}""")]
    public void What_only_looks_like_one_is_none(string data) => Assert.Empty(Streamed(Metered.Tape(Metered.Start, data, Stop, Metered.Stop)));

    [Fact]
    public void A_block_that_never_ends_has_none() => Assert.Empty(Streamed(Metered.Tape(Metered.Start, Thinking(""), Signature("half"))));

    [Fact]
    public void One_that_is_too_long_is_passed_over_and_the_next_one_is_not()
    {
        var half = new string('x', (SignaturePieces.BytesMax / 2) + 1);
        Assert.Equal(["next"], Streamed(Metered.Tape(Thinking(""), Signature(half), Signature(half), Stop, Thinking("next"), Stop)));
    }

    [Fact]
    public void Watching_for_signatures_changes_no_reading()
    {
        foreach (var name in SseTape.Names)
        {
            var bytes = SseTape.Load(name).Bytes;
            using var meter = new UsageMeter(_ => { });
            meter.Observe(bytes);
            Assert.Equal(Metered.Line(Metered.Stream(bytes)), Metered.Line(meter.Read()));
        }
    }

    [Fact]
    public void No_block_allocates()
    {
        var blocks = Metered.Tape([.. Enumerable.Range(0, 1_000).SelectMany(_ => new[] { Thinking(""), Signature(@"c2ln\/bmF0dXJl"), Signature("IGFuZA=="), Stop })]);
        var count = 0;
        using var meter = new UsageMeter(_ => count++);
        meter.Observe(blocks);

        var before = GC.GetAllocatedBytesForCurrentThread();
        meter.Observe(blocks);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(4_000, count);
    }

    [Fact]
    public void One_json_gives_them_as_soon_as_they_have_passed_however_it_is_cut()
    {
        var json = Encoding.UTF8.GetBytes(
            """{"type":"message","data":"no","usage":{"signature":"no"},"content":[{"type":"thinking","thinking":"\"signature\":","signature":"first\/1"},{"type":"redacted_thinking","data":"second"},{"type":"tool_use","input":{"signature":"no","deep":[{"data":"no"}]}},{"signature":7},"signature"],"signature":"no"}""");
        for (var cut = 0; cut <= json.Length; cut++)
        {
            Assert.Equal(["first/1", "second"], InOneJson(json, cut));
        }

        Assert.Equal(["first/1", "second"], InOneJson(json, [.. Enumerable.Range(0, json.Length)]));

        // Long before the end.
        Assert.Equal(["first/1", "second"], InOneJson(json.AsSpan(0, json.AsSpan().IndexOf("tool_use"u8))));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"content":[{"signature":"\ud800"}]}""")]
    [InlineData("""[[[{"content":[{"signature":"no"}]}]]]""")]
    public void What_is_no_message_has_none_and_does_no_harm(string json) => Assert.Empty(InOneJson(Encoding.UTF8.GetBytes(json)));

    private static string Thinking(string signature) => $$$"""{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":"{{{signature}}}"}}""";

    private static string Signature(string signature) => $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"{{{signature}}}"}}""";

    private static string Stop => """{"type":"content_block_stop","index":0}""";

    private static List<string> Streamed(ReadOnlySpan<byte> stream, params int[] cuts)
    {
        var seen = new List<string>();
        using var meter = new UsageMeter(signature => seen.Add(Encoding.UTF8.GetString(signature)));
        var start = 0;
        foreach (var cut in cuts)
        {
            meter.Observe(stream[start..cut]);
            start = cut;
        }

        meter.Observe(stream[start..]);
        return seen;
    }

    private static List<string> InOneJson(ReadOnlySpan<byte> json, params int[] cuts)
    {
        var seen = new List<string>();
        var body = new BodySignatures(signature => seen.Add(Encoding.UTF8.GetString(signature)));
        foreach (var cut in cuts)
        {
            body.Observe(json[..cut]);
        }

        body.Observe(json);
        return seen;
    }
}
