using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>What happens when nothing happens, for as long as a test says.</summary>
public sealed class TimeTests
{
    private const string Ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n";

    private static readonly Usage Small = new(Input: 25, Output: 15);

    /// <summary>A native ccp's clock runs on by itself while the test moves it.</summary>
    private readonly Stopwatch _real = Stopwatch.StartNew();

    [Fact]
    public async Task A_stream_that_is_silent_between_events_gets_ccp_s_own_pings()
    {
        var clock = new ManualClock();
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).WaitFor(goOn).Send(SseEvents.MessageDelta(Small)).Send(SseEvents.MessageStop));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = clock);

        using var answer = await ccp.AskAsync();
        var body = await answer.Content.ReadAsStreamAsync();
        await ReadExactlyAsync(body, SseEvents.MessageStart(CcpUnderTest.Model, Small).Length);
        await AdvanceUntilAsync(clock, body, Ping);
        await AdvanceUntilAsync(clock, body, Ping);
        goOn.Open();
        using var rest = new StreamReader(body);

        Assert.Equal(SseEvents.MessageDelta(Small) + SseEvents.MessageStop, await rest.ReadToEndAsync());
        Assert.InRange(Passed(clock), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(280));
    }

    [Fact]
    public async Task Inside_an_event_silence_stays_silence_until_the_idle_time_is_over()
    {
        var clock = new ManualClock();
        const string Half = "event: content_block_delta\ndata: {\"type\":";
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Send(Half).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = clock);

        using var answer = await ccp.AskAsync();
        var body = await answer.Content.ReadAsStreamAsync();
        await ReadExactlyAsync(body, SseEvents.MessageStart(CcpUnderTest.Model, Small).Length + Half.Length);
        var next = body.ReadAsync(new byte[1]).AsTask();
        while (!next.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(next, Task.Delay(1));
        }

        await Assert.ThrowsAnyAsync<IOException>(() => next);
        Assert.InRange(Passed(clock), TimeSpan.FromSeconds(300), TimeSpan.FromSeconds(100_000));
        await ccp.StopAsync();
        Assert.Equal("upstream_stalled", Assert.Single(ccp.Store.Requests).Reason);
    }

    [Fact]
    public async Task A_lane_that_does_not_begin_to_answer_is_given_up_and_costs_nothing()
    {
        var clock = new ManualClock();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Stall());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = clock);

        var call = ccp.AskAsync();
        var arrived = await upstream.NextAsync();
        clock.Advance(TimeSpan.FromSeconds(120));
        using var answer = await call;

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Contains("did not begin to answer", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await arrived.Aborted.WaitAsync(TimeSpan.FromSeconds(10));
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
    }

    [Fact]
    public async Task An_answer_that_is_not_streamed_may_begin_within_ten_minutes_and_not_later()
    {
        // The executable's clock runs on.
        var almost = TimeSpan.FromSeconds(CcpUnderTest.IsNative ? 590 : 599);
        var clock = new ManualClock();
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
            request.BodyText.Contains("never", StringComparison.Ordinal) ? Script.Stall() : Script.Begin.WaitFor(goOn).Then(Answers.Message(CcpUnderTest.Model, "hi", Small)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = clock);

        var slow = ccp.AskAsync(stream: false);
        await upstream.NextAsync();
        clock.Advance(almost);
        goOn.Open();
        using var served = await slow;
        var stalled = ccp.AskAsync(stream: false, text: "never");
        var arrived = await upstream.NextAsync();
        clock.Advance(TimeSpan.FromSeconds(600));
        using var given = await stalled;

        Assert.Equal((200, 503), ((int)served.StatusCode, (int)given.StatusCode));
        Assert.Contains("did not begin to answer", await given.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await arrived.Aborted.WaitAsync(TimeSpan.FromSeconds(10));
        await ccp.StopAsync();
        Assert.Single(ccp.Store.Charges);
    }

    /// <summary>Whoever wonders where a call has got to need not wait for its end.</summary>
    [Theory]
    [InlineData("POST", "/v1/messages")]
    [InlineData("GET", "/v1/models")]
    public async Task Where_a_call_went_is_in_the_usage_log_while_it_waits_for_its_answer(string method, string path)
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Begin.WaitFor(goOn).Then(Answers.NotFound("")));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        var call = ccp.SendAsync(ccp.Request(new HttpMethod(method), path, body: method == "POST" ? CcpUnderTest.Body() : null));
        await upstream.NextAsync();
        for (var patience = Stopwatch.StartNew(); UsageLines.All(ccp).Count == 0; await Task.Delay(1))
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(10), "The log says nothing of the call.");
        }

        var line = Assert.Single(UsageLines.All(ccp));
        Assert.Equal(("decision", "anthropic"), (line.GetProperty("event").GetString(), line.GetProperty("decision").GetString()));
        Assert.False(call.IsCompleted);
        goOn.Open();
        using var answer = await call;
    }

    [Fact]
    public async Task A_client_that_left_before_an_answer_that_never_begins_pays_for_its_prompt_after_half_a_minute()
    {
        var clock = new ManualClock();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Stall());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Clock, setup.Lane) = (clock, """first_byte_timeout = "1d" """));

        using var leaving = new CancellationTokenSource();
        var call = ccp.AskAsync(text: new string('x', 3_200), cancellation: leaving.Token);
        var arrived = await upstream.NextAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await AdvanceUntilAsync(clock, arrived.Aborted);
        Assert.InRange(Passed(clock), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(80_000));
        await ccp.StopAsync();

        // The body over 3.2 bytes a token: a little more than the 1000 tokens of its text.
        var record = Assert.Single(ccp.Store.Requests);
        Assert.InRange(record.Tokens.Input, 1_000, 1_060);
        Assert.Equal(0, record.Tokens.Output);
        Assert.True(record.IsEstimated);
        Assert.Equal(-record.Tokens.Input * 4_000, Assert.Single(ccp.Store.Charges).Amount.Value);
    }

    /// <summary>A connection that comes about and a handshake that does not: nobody has heard of the prompt.</summary>
    [Fact]
    public async Task A_client_that_left_while_ccp_was_still_dialling_owes_nothing()
    {
        var clock = new ManualClock();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var ccp = await CcpUnderTest.StartAsync(new Uri($"https://{silent.LocalEndpoint}"), change: setup => (setup.Clock, setup.Lane) = (clock, """connect_timeout = "5m" """));

        using var leaving = new CancellationTokenSource();
        var call = ccp.AskAsync(cancellation: leaving.Token);
        using var dialled = await silent.AcceptTcpClientAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await AdvanceUntilAsync(clock, ccp.MetricsAtRestAsync());
        await ccp.StopAsync();

        Assert.Equal("client_left", UsageLines.Completions(ccp).Single().GetProperty("reason").GetString());
        Assert.Empty(ccp.Store.Requests);
        Assert.Empty(ccp.Store.Charges);
    }

    /// <summary>As much as the clock can have moved for ccp.</summary>
    private TimeSpan Passed(ManualClock clock) => clock.GetUtcNow() - new ManualClock().GetUtcNow() + (CcpUnderTest.IsNative ? _real.Elapsed : TimeSpan.Zero);

    private static async Task ReadExactlyAsync(Stream body, int bytes) => await body.ReadExactlyAsync(new byte[bytes]);

    /// <summary>Moves the clock second by second until <paramref name="expected"/> has come: ccp may be slower to look at it than the test to move it.</summary>
    private static async Task AdvanceUntilAsync(ManualClock clock, Stream body, string expected)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(expected)];
        await AdvanceUntilAsync(clock, body.ReadExactlyAsync(bytes).AsTask());
        Assert.Equal(expected, Encoding.UTF8.GetString(bytes));
    }

    private static async Task AdvanceUntilAsync(ManualClock clock, Task expected)
    {
        for (var patience = Stopwatch.StartNew(); !expected.IsCompleted && patience.Elapsed < TimeSpan.FromSeconds(10);)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(expected, Task.Delay(1));
        }

        await expected.WaitAsync(TimeSpan.FromSeconds(10));
    }
}
