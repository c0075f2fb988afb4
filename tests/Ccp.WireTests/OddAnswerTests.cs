using System.Net;
using System.Text;
using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>Answers that are not quite as they should be: they reach the client all the same, whole, and are charged for what is in them.</summary>
public sealed class OddAnswerTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);
    private static readonly NanoUsd SmallCharge = new(400_000);

    private static readonly string WholeStream =
        SseEvents.MessageStart(CcpUnderTest.Model, Small) + SseEvents.TextStart() + SseEvents.TextDelta("hello") + SseEvents.BlockStop() + SseEvents.MessageDelta(Small) + SseEvents.MessageStop;

    [Theory]
    [InlineData("caf\u00e9", "caf\u00e9")]
    [InlineData("caf\u00c3\u00a9", "caf\u00c3\u00a9")]
    [InlineData("a\u0001b", "a b")]
    public async Task Whatever_a_header_holds_the_answer_that_is_charged_arrives(string sent, string arrives)
    {
        await using var upstream = await RawUpstream.StartAsync($"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-note: {sent}\r\ncontent-length: {WholeStream.Length}\r\n\r\n{WholeStream}");
        await using var ccp = await CcpUnderTest.StartAsync(upstream.BaseUrl);

        using var answer = await ccp.AskAsync();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(arrives, answer.Headers.NonValidated["x-note"].ToString());
        Assert.Equal(WholeStream, await answer.Content.ReadAsStringAsync());
        await ccp.StopAsync();
        Assert.Equal(-SmallCharge, Assert.Single(ccp.Store.Charges).Amount);
    }

    [Theory]
    [InlineData("caf\u00c3\u00a9")]
    [InlineData("caf\u00e9")]
    public async Task A_request_header_arrives_byte_for_byte(string agent)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var request = ccp.Request(HttpMethod.Post, "/v1/messages", body: CcpUnderTest.Body());
        request.Headers.TryAddWithoutValidation("user-agent", agent);
        using var answer = await ccp.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(agent, Assert.Single(upstream.Requests).Header("user-agent"));
    }

    [Theory]
    [InlineData("TEXT/Event-Stream; charset=UTF-8")]
    [InlineData("text/event-stream;")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task A_stream_that_was_asked_for_is_metered_whatever_it_calls_itself(string? type)
    {
        (string, string)[] headers = type is null ? [] : [("content-type", type)];
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Whole(200, Encoding.UTF8.GetBytes(WholeStream), headers));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();
        Assert.Equal(WholeStream, await answer.Content.ReadAsStringAsync());
        await ccp.StopAsync();

        Assert.Equal(-SmallCharge, Assert.Single(ccp.Store.Charges).Amount);
        Assert.False(Assert.Single(ccp.Store.Requests).IsEstimated);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_comes_back_decides_how_it_is_read(bool streamIsAsked)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => streamIsAsked ? Answers.Message(CcpUnderTest.Model, "hi", Small) : Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync(streamIsAsked);
        await answer.Content.ReadAsStringAsync();
        await ccp.StopAsync();

        Assert.Equal(-SmallCharge, Assert.Single(ccp.Store.Charges).Amount);
    }

    [Fact]
    public async Task A_connection_that_breaks_after_the_message_was_whole_is_not_the_reader_s_trouble()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream().Send(WholeStream).Cut());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();
        Assert.Equal(WholeStream, await answer.Content.ReadAsStringAsync());
        await ccp.StopAsync();

        Assert.Equal(-SmallCharge, Assert.Single(ccp.Store.Charges).Amount);
        Assert.Equal("streaming", Assert.Single(ccp.Store.Requests).Reason);
    }

    [Fact]
    public async Task An_error_of_the_provider_is_followed_by_no_second_one_when_the_connection_breaks()
    {
        var text = SseEvents.MessageStart(CcpUnderTest.Model, Small) + SseEvents.Error("overloaded_error", "Overloaded");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream().Send(text).Cut());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();
        Assert.Equal(text, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_message_whose_last_numbers_overdraw_the_account_is_still_a_whole_message()
    {
        var large = new Usage(Input: 25, Output: 90_000);
        var text = SseEvents.MessageStart(CcpUnderTest.Model, Small) + SseEvents.MessageDelta(large) + SseEvents.MessageStop;
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream().Send(text));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.10", change: setup => setup.Billing = """overdraft = "0.05" """);

        using var answer = await ccp.AskAsync();
        Assert.Equal(text, await answer.Content.ReadAsStringAsync());
        using var next = await ccp.AskAsync();

        Assert.Equal(402, (int)next.StatusCode);
    }

    [Theory]
    [InlineData(200, "content-length: 5\r\ntransfer-encoding: chunked\r\n")]
    [InlineData(200, "content-length: {length}\r\ncontent-length: 5\r\n")]
    [InlineData(200, "content-length: abc\r\n")]
    [InlineData(200, "content-length: -1\r\n")]
    [InlineData(400, "content-length: 5\r\ntransfer-encoding: chunked\r\n")]
    [InlineData(400, "content-length: abc\r\n")]
    public async Task Whatever_length_an_upstream_states_what_came_arrives_and_is_charged_as_it_is(int status, string lengths)
    {
        var json = Encoding.UTF8.GetString(Answers.Message(CcpUnderTest.Model, "hi", Small).Body);
        var body = lengths.Contains("chunked", StringComparison.Ordinal) ? $"{json.Length:x}\r\n{json}\r\n0\r\n\r\n" : json;
        var head = $"HTTP/1.1 {status} So\r\ncontent-type: application/json\r\n{lengths.Replace("{length}", $"{json.Length}", StringComparison.Ordinal)}";
        await using var upstream = await RawUpstream.StartAsync($"{head}\r\n{body}");
        await using var ccp = await CcpUnderTest.StartAsync(upstream.BaseUrl);

        using var answer = await ccp.AskAsync(stream: false);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(json, await answer.Content.ReadAsStringAsync());
        await ccp.StopAsync();
        Assert.Equal(status == 200 ? [-SmallCharge] : [], ccp.Store.Charges.Select(charge => charge.Amount));
        Assert.All(ccp.Store.Requests, record => Assert.False(record.IsEstimated));
    }

    [Fact]
    public async Task A_status_that_allows_no_body_is_passed_on()
    {
        await using var upstream = await RawUpstream.StartAsync("HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n");
        await using var ccp = await CcpUnderTest.StartAsync(upstream.BaseUrl);

        using var answer = await ccp.AskAsync();

        Assert.Equal(HttpStatusCode.NotModified, answer.StatusCode);
    }
}
