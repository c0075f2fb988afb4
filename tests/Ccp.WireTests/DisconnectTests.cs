using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>A client that leaves, at each point at which it can. The upstream is cancelled; what it had begun is paid for.</summary>
public sealed class DisconnectTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);
    private static readonly string Start = SseEvents.MessageStart(CcpUnderTest.Model, Small);

    /// <summary>32 bytes: ten tokens.</summary>
    private static readonly string Text = SseEvents.TextStart() + SseEvents.TextDelta(new string('x', 32));
    private static readonly string Last = SseEvents.BlockStop() + SseEvents.MessageDelta(Small);

    /// <summary>Name, what the client has read when it leaves, input and output tokens charged, whether it is an estimate.</summary>
    public static TheoryData<string, string, long, long, bool> Points => new()
    {
        { "after message_start", Start, 25, 1, true },
        { "in mid-text", Start + Text, 25, 10, true },
        { "in the middle of an event", Start + Text + "event: content_block_delta\ndata: {\"type\":\"cont", 25, 10, true },
        { "during the last report", Start + Text + Last[..^30], 25, 10, true },
        { "after the last report", Start + Text + Last, 25, 15, false },
        { "after message_stop, before the end", Start + Text + Last + SseEvents.MessageStop, 25, 15, false },
    };

    [Theory]
    [MemberData(nameof(Points))]
    public async Task A_client_that_leaves_a_stream_pays_for_what_was_written(string name, string read, long input, long output, bool isEstimated)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream().Send(read).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using (var answer = await ccp.AskAsync())
        {
            await (await answer.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[read.Length]);
        }

        await (await upstream.NextAsync()).Aborted.WaitAsync(TimeSpan.FromSeconds(10));
        await ccp.StopAsync();

        var charge = Assert.Single(ccp.Store.Charges);
        Assert.Equal(new NanoUsd(-2 * ((input * 2_000) + (output * 10_000))), charge.Amount);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.True(record.Reason is "client_left", $"{name}: {record.Reason}");
        Assert.Equal(isEstimated, record.IsEstimated);
        Assert.Equal("client_left", UsageLines.Completions(ccp).Single().GetProperty("reason").GetString());
        Assert.Empty(ccp.Store.OpenHolds);
        Assert.Equal(CcpSetup.Dollars("50") + charge.Amount, ccp.Store.BalanceOfAlice);
    }

    [Fact]
    public async Task A_client_that_leaves_before_a_whole_answer_is_ready_pays_what_it_cost()
    {
        var ready = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Begin.WaitFor(ready).Then(Answers.Message(CcpUnderTest.Model, "hi", Small)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var leaving = new CancellationTokenSource();
        var call = ccp.AskAsync(stream: false, cancellation: leaving.Token);
        await upstream.NextAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        ready.Open();
        await ccp.StopAsync();

        Assert.Equal(new NanoUsd(-400_000), Assert.Single(ccp.Store.Charges).Amount);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.False(record.IsEstimated);
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_an_error_owes_nothing_and_is_logged_as_gone()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Head(529, ("content-type", "application/json")).Send(new string('x', 100)).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var leaving = new CancellationTokenSource();
        var call = ccp.AskAsync(cancellation: leaving.Token);
        var asked = await upstream.NextAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        // At once: an error costs nothing that would have to be waited for.
        await asked.Aborted.WaitAsync(TimeSpan.FromSeconds(10));
        await ccp.StopAsync();
        Assert.Equal("client_left", UsageLines.Completions(ccp).Single().GetProperty("reason").GetString());
        Assert.Empty(ccp.Store.Charges);
        Assert.Empty(ccp.Store.OpenHolds);
        Assert.DoesNotContain("unreachable", ccp.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("failed", ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_a_list_of_models_is_logged_as_gone()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Head(200, ("content-type", "application/json")).Send("""{"data":[""").Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.AliceKeys = """models = ["claude-haiku-*"]""");

        using var leaving = new CancellationTokenSource();
        var call = ccp.SendAsync(ccp.Request(HttpMethod.Get, "/v1/models"), leaving.Token);
        var asked = await upstream.NextAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        await asked.Aborted.WaitAsync(TimeSpan.FromSeconds(10));
        await ccp.StopAsync();
        Assert.Equal("client_left", UsageLines.Completions(ccp).Single().GetProperty("reason").GetString());
        Assert.DoesNotContain("unreachable", ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_before_its_request_is_whole_owes_nothing()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using (var connection = new System.Net.Sockets.TcpClient())
        {
            await connection.ConnectAsync("127.0.0.1", ccp.Port);
            var head = $"POST /v1/messages HTTP/1.1\r\nhost: ccp\r\nauthorization: Bearer {CcpUnderTest.Alice}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{{\"model\":";
            await connection.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(head));
            connection.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        }

        await ccp.StopAsync();

        Assert.Empty(upstream.Requests);
        Assert.Empty(ccp.Store.Charges);
        Assert.Equal(CcpSetup.Dollars("50"), ccp.Store.BalanceOfAlice);
    }
}
