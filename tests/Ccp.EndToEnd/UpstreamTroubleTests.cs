using Ccp.EndToEnd.Hosting;
using Ccp.ScriptedUpstream;

namespace Ccp.EndToEnd;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>When the provider fails: the client does what it does without a proxy, and failure costs nothing.</summary>
public sealed class UpstreamTroubleTests
{
    private const string Model = "claude-opus-5-5";

    [Fact]
    public async Task An_overloaded_upstream_is_asked_three_times_and_costs_nothing()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("please [[529]]");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("API Error: Repeated 529 Overloaded errors.", run.Printed, StringComparison.Ordinal);
        Assert.Equal(3, place.Upstream.Requests.Count);
        var books = await place.CloseAsync();
        Assert.Empty(books.Charges);
        Assert.Equal(50_000_000_000, books.Balance.Value);
        Assert.All(books.Ended, line => Assert.Equal((529, "upstream_error"), (line.GetProperty("status").GetInt32(), Books.Text(line, "reason"))));
    }

    [Fact]
    public async Task An_upstream_that_recovers_is_paid_for_its_answer_alone()
    {
        var asked = 0;
        await using var place = await Workplace.OpenAsync(request => Interlocked.Increment(ref asked) == 1 ? Answers.Overloaded() : ClaudeCodeAnswers.Answer(request));

        var run = await place.AskAsync("hello");

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        var books = await place.CloseAsync();
        Assert.Equal([529, 200], books.Ended.Select(line => line.GetProperty("status").GetInt32()));
        Assert.Equal(-15_760_000, Assert.Single(books.Charges).Amount.Value);
    }

    [Fact]
    public async Task A_stream_that_breaks_off_is_charged_as_far_as_it_came_and_the_client_asks_again()
    {
        var usage = new Usage(Input: 1_000, Output: 50);
        var asked = 0;
        await using var place = await Workplace.OpenAsync(request => Interlocked.Increment(ref asked) > 1
            ? ClaudeCodeAnswers.Answer(request)
            : Answers.BeginStream().Send(SseEvents.MessageStart(Model, usage)).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta("Sixteen letters.")).Cut());

        var run = await place.AskAsync("hello");

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        var books = await place.CloseAsync();

        // 16 bytes count as 5 tokens, at 3.2 bytes each.
        Assert.Equal([-2 * ((1_000 * 4_000) + (5 * 20_000)), -15_760_000], books.Charges.Select(charge => charge.Amount.Value));
        Assert.Equal("claude-opus-5-5, estimated (upstream_cut)", books.Charges[0].Note);
        Assert.Equal([true, false], books.Calls.Select(call => call.IsEstimated));
    }
}
