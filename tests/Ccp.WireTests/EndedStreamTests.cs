using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>Streams that ccp ends before their upstream has said anything: it was at work on the prompt, and that is owed.</summary>
public sealed class EndedStreamTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    private readonly Gate _goOn = new();

    [Theory]
    [InlineData(false, "out_of_credit")]
    [InlineData(true, "spend_limit")]
    public async Task A_stream_ended_for_want_of_money_before_its_first_event_owes_its_prompt(bool byLimit, string reason)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request => IsDear(request) ? Dear() : Answers.BeginStream().Hang());
        await using var ccp = await StartAsync(upstream, byLimit);

        using var dear = await ccp.AskAsync(text: "dear", maxTokens: 16);
        using var silent = await ccp.AskAsync(text: "silent", maxTokens: 16);
        _goOn.Open();
        await dear.Content.ReadAsStringAsync();

        Assert.StartsWith("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"billing_error\"", await silent.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await AssertOwedAsync(ccp, silent, reason, new TokenUsage { Input = CcpUnderTest.Body(text: "silent", maxTokens: 16).Length * 10 / 32 });
    }

    [Theory]
    [InlineData(false, "out_of_credit", "balance was used up")]
    [InlineData(true, "spend_limit", "spending limit that ccp has for you was passed")]
    public async Task One_of_which_nothing_has_reached_the_client_is_refused_as_a_call_without_money_is(bool byLimit, string reason, string word)
    {
        var asked = new Gate();
        var begin = new Gate();
        var start = SseEvents.MessageStart(CcpUnderTest.Model, Small);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request => IsDear(request)
            ? Dear()
            : Script.Begin.Signal(asked).WaitFor(begin).Then(Script.Whole(200, System.Text.Encoding.UTF8.GetBytes(start), ("content-type", "text/event-stream"))));
        await using var ccp = await StartAsync(upstream, byLimit);

        using var dear = await ccp.AskAsync(text: "dear", maxTokens: 16);
        var call = ccp.AskAsync(text: "silent", maxTokens: 16);
        await asked.WaitAsync();
        _goOn.Open();
        await dear.Content.ReadAsStringAsync();
        begin.Open();
        using var refused = await call;

        await SaidNo.AssertAsync(refused, 402, "billing_error", word, shouldRetry: "false");
        await AssertOwedAsync(ccp, refused, reason, new TokenUsage { Input = 25, Output = 1 });
        Assert.Contains(UsageLines.Completions(ccp), line => line.GetProperty("status").GetInt32() == 402 && line.GetProperty("reason").GetString() == reason);
        Assert.DoesNotContain("could not be reached", ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_had_only_begun_when_ccp_stops_owes_its_prompt()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream().Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Drain = "1s");

        using var answer = await ccp.AskAsync();
        var text = answer.Content.ReadAsStringAsync();
        await ccp.StopAsync();

        Assert.Contains("being restarted", await text, StringComparison.Ordinal);
        await AssertOwedAsync(ccp, answer, "shutdown", new TokenUsage { Input = CcpUnderTest.Body().Length * 10 / 32 });
    }

    private static bool IsDear(RecordedRequest request) => request.BodyText.Contains("dear", StringComparison.Ordinal);

    /// <summary>A thousand tokens of output an event: 0.02 USD, of 0.15 that there are.</summary>
    private Script Dear() => Enumerable.Range(0, 20).Aggregate(
        Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).WaitFor(_goOn).Send(SseEvents.TextStart()),
        (script, _) => script.Send(SseEvents.TextDelta(new string('y', 3_200)))).Hang();

    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer upstream, bool byLimit) => CcpUnderTest.StartAsync(upstream, balance: byLimit ? "50" : "0.10", change: setup =>
    {
        setup.Billing = """overdraft = "0.05" """;
        setup.Limits = byLimit ? """spend_per_day = "0.10" """ : setup.Limits;
    });

    private static async Task AssertOwedAsync(CcpUnderTest ccp, HttpResponseMessage answer, string reason, TokenUsage tokens)
    {
        await ccp.StopAsync();
        var id = answer.Headers.GetValues("x-ccp-request-id").Single();
        var record = ccp.Store.Requests.Single(record => record.Id == id);
        Assert.Equal((reason, true, tokens), (record.Reason, record.IsEstimated, record.Tokens));

        // Sonnet 5.5: 2 in and 10 out per million; the markup is 2.
        var charge = ccp.Store.Charges.Single(charge => charge.Reference == id);
        Assert.Equal(new NanoUsd(-2 * ((tokens.Input * 2_000) + (tokens.Output * 10_000))), charge.Amount);
        Assert.Contains($"estimated ({reason})", charge.Note, StringComparison.Ordinal);
        Assert.Empty(ccp.Store.OpenHolds);
    }
}
