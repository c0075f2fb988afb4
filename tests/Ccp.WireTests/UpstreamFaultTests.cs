using System.Net;
using System.Text;
using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>Every way an upstream can fail in, what the client is told, what the call costs and the word it is logged under.</summary>
public sealed class UpstreamFaultTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);
    private static readonly string Start = SseEvents.MessageStart(CcpUnderTest.Model, Small);

    /// <summary>32 bytes: ten tokens.</summary>
    private static readonly string Text = SseEvents.TextStart() + SseEvents.TextDelta(new string('x', 32));
    private static readonly string Last = SseEvents.BlockStop() + SseEvents.MessageDelta(Small);

    /// <summary>What the body that every call here sends is taken for: its bytes over 3.2.</summary>
    private static readonly long EstimatedPrompt = CcpUnderTest.Body().Length * 10 / 32;

    private static readonly long EstimatedJsonPrompt = CcpUnderTest.Body(stream: false).Length * 10 / 32;

    /// <summary>Name, script, input and output tokens charged, the reason, whether it is an estimate.</summary>
    public static TheoryData<string, Script, long, long, string, bool> StreamFaults => new()
    {
        { "whole, byte by byte", InBytes(Start + Text + Last + SseEvents.MessageStop), 25, 15, "streaming", false },
        { "cut after message_start", Begin(Start).Cut(), 25, 1, "upstream_cut", true },
        { "cut in mid-text", Begin(Start + Text).Cut(), 25, 10, "upstream_cut", true },
        { "cut inside the last report", Begin(Start + Text + Last[..^20]).Cut(), 25, 10, "upstream_cut", true },
        { "cut after the last report", Begin(Start + Text + Last).Cut(), 25, 15, "upstream_cut", false },
        { "cut after message_stop", Begin(Start + Text + Last + SseEvents.MessageStop).Cut(), 25, 15, "streaming", false },
        { "ends without a last report", Begin(Start + Text).End(), 25, 10, "upstream_cut", true },
        { "ends without message_stop", Begin(Start + Text + Last).End(), 25, 15, "upstream_cut", false },
        { "reports twice, alike", Begin(Start + Text + Last + SseEvents.MessageDelta(Small) + SseEvents.MessageStop), 25, 15, "streaming", false },
        { "reports twice, growing", Begin(Start + Text + Report(25, 12) + Last + SseEvents.MessageStop), 25, 15, "streaming", false },
        { "reports twice, shrinking", Begin(Start + Text + Report(25, 9_000) + Last + SseEvents.MessageStop), 25, 15, "streaming", false },
        { "says zeros at the end", Begin(Start + Text + Report(0, 0) + SseEvents.MessageStop), 25, 10, "no_final_usage", true },
        { "a negative count", Begin(Start + Text + Report(25, -15) + SseEvents.MessageStop), 25, 10, "suspect", true },
        { "an absurd count", Begin(Start + Text + Report(25, 15_000_000_000) + SseEvents.MessageStop), 25, 10, "suspect", true },
        { "a count beyond all numbers", Begin(Start + Text + ReportOf("1e400") + SseEvents.MessageStop), 25, 10, "suspect", true },
        { "a count in words", Begin(Start + Text + ReportOf("\"many\"") + SseEvents.MessageStop), 25, 10, "suspect", true },
        { "an absurd prompt", Begin(SseEvents.MessageStart(CcpUnderTest.Model, new Usage(99_000_000, 1)) + Text).Cut(), EstimatedPrompt, 10, "upstream_cut", true },
        { "never reports", Begin(Text + SseEvents.BlockStop() + SseEvents.MessageStop), EstimatedPrompt, 10, "no_final_usage", true },
        { "an error in mid-text", Begin(Start + Text + SseEvents.Error("overloaded_error", "Overloaded")), 25, 10, "upstream_error", true },
        { "an error before any content", Begin(SseEvents.Error("overloaded_error", "Overloaded")), 0, 0, "upstream_error", false },
        { "garbage alone", Begin(Garbage()).End(), EstimatedPrompt, 0, "upstream_cut", true },
        { "garbage between events", Begin(Start + Text + "data: {\"type\":\"message_delta\",\"usage\":{]\n\n" + Last + SseEvents.MessageStop), 25, 15, "no_final_usage", true },
        { "ten million bytes of one line", Begin(Start + Text).Send(TenMillionBytes()).Send("\n\n" + Last + SseEvents.MessageStop), 25, 15, "no_final_usage", true },
        { "ten million bytes of one line, then a cut", Begin(Start + Text).Send(TenMillionBytes()).Cut(), 25, 10, "upstream_cut", true },
        { "nothing at all", Answers.BeginStream().End(), 0, 0, "upstream_cut", false },
        { "a cut before the first byte", Answers.BeginStream().Cut(), 0, 0, "lane_unreachable", false },
        { "a cut instead of an answer", Script.Begin.Cut(), 0, 0, "lane_unreachable", false },
    };

    /// <summary>The same for one JSON.</summary>
    public static TheoryData<string, Script, long, long, string, bool> JsonFaults => new()
    {
        { "whole, in two pieces", InTwoPieces(Message()), 25, 15, "ok", false },
        { "cut in the middle", HalfOf(Message()).Cut(), EstimatedJsonPrompt, 1, "upstream_cut", true },
        { "shorter than announced", HalfOf(Message()).End(), EstimatedJsonPrompt, 1, "upstream_cut", true },
        { "no usage", Script.Json(200, """{"type":"message","model":"claude-sonnet-5-5","content":[{"type":"text","text":"12345678901234567890123456789012"}]}"""), EstimatedJsonPrompt, 10, "no_final_usage", true },
        { "garbage", Script.Json(200, "{\"usage\":]]"), EstimatedJsonPrompt, 0, "no_final_usage", true },
        { "negative counts", Script.Json(200, """{"type":"message","content":[],"usage":{"input_tokens":-25,"output_tokens":-15}}"""), EstimatedJsonPrompt, 0, "suspect", true },
        { "absurd counts", Script.Json(200, """{"type":"message","content":[],"usage":{"input_tokens":9999999999999999999,"output_tokens":1e30}}"""), EstimatedJsonPrompt, 0, "suspect", true },
        { "an empty answer", Script.Json(200, ""), 0, 0, "ok", false },
        { "a cut instead of an answer", Script.Begin.Cut(), 0, 0, "lane_unreachable", false },
    };

    [Theory]
    [MemberData(nameof(StreamFaults), DisableDiscoveryEnumeration = true)]
    public Task A_stream_that_goes_wrong_has_a_defined_charge(string name, Script script, long input, long output, string reason, bool isEstimated) =>
        CostsAsync(name, script, isStream: true, new TokenUsage { Input = input, Output = output }, reason, isEstimated);

    [Theory]
    [MemberData(nameof(JsonFaults), DisableDiscoveryEnumeration = true)]
    public Task A_whole_answer_that_goes_wrong_has_a_defined_charge(string name, Script script, long input, long output, string reason, bool isEstimated) =>
        CostsAsync(name, script, isStream: false, new TokenUsage { Input = input, Output = output }, reason, isEstimated);

    private static async Task CostsAsync(string name, Script script, bool isStream, TokenUsage tokens, string reason, bool isEstimated)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => script);
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        await ReadAsFarAsItGoesAsync(await ccp.AskAsync(isStream));
        await ccp.StopAsync();

        // Sonnet 5.5: 2 in and 10 out per million; the markup is 2.
        var charge = new NanoUsd(2 * ((tokens.Input * 2_000) + (tokens.Output * 10_000)));
        Assert.Equal(CcpSetup.Dollars("50") - charge, ccp.Store.BalanceOfAlice);
        Assert.Empty(ccp.Store.OpenHolds);
        Assert.Equal(reason, UsageLines.Completions(ccp).Single().GetProperty("reason").GetString());
        if (charge == NanoUsd.Zero)
        {
            Assert.Empty(ccp.Store.Charges);
            Assert.Empty(ccp.Store.Requests);
            return;
        }

        var entry = Assert.Single(ccp.Store.Charges);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.Equal(-charge, entry.Amount);
        Assert.Equal(tokens, record.Tokens);
        Assert.Equal(reason, record.Reason);
        Assert.True(isEstimated == record.IsEstimated, $"{name}: estimated is {record.IsEstimated}");
        Assert.Equal(isEstimated ? $"{CcpUnderTest.Model}, estimated ({reason})" : CcpUnderTest.Model, entry.Note);
    }

    private static async Task ReadAsFarAsItGoesAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            try
            {
                await answer.Content.CopyToAsync(Stream.Null);
            }
            catch (Exception cut) when (cut is IOException or HttpRequestException)
            {
                // A cut that ccp could not put into words is passed on as a cut.
            }
        }
    }

    private static Script Begin(string events) => Answers.BeginStream().Send(events);

    private static Script InBytes(string events) => Answers.BeginStream().SendInPieces(Encoding.UTF8.GetBytes(events), [.. Enumerable.Range(1, events.Length - 1)]);

    private static string Report(long input, long output) => SseEvents.MessageDelta(new Usage(input, output));

    private static string ReportOf(string output) =>
        SseEvents.Event("message_delta", $$$"""{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":{{{output}}}}}""");

    private static byte[] Message() => Answers.Message(CcpUnderTest.Model, "hi", Small).Body;

    private static Script InTwoPieces(byte[] json) => JsonHead(json.Length).SendInPieces(json, json.Length / 2);

    private static Script HalfOf(byte[] json) => JsonHead(json.Length).Send(json.AsMemory(0, json.Length / 2));

    private static Script JsonHead(int length) => Script.Head((int)HttpStatusCode.OK, ("content-type", "application/json"), ("content-length", $"{length}"));

    private static string Garbage() => string.Concat(Enumerable.Range(0, 2_000).Select(index => (char)(1 + (index * 31 % 126))));

    private static byte[] TenMillionBytes() => [.. "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\""u8, .. Enumerable.Repeat((byte)'z', 10_000_000), .. "\"}}"u8];
}
