using Ccp.EndToEnd.Hosting;
using Ccp.ScriptedUpstream;

namespace Ccp.EndToEnd;

/// <summary>What the client asks beside its conversation, which costs nothing.</summary>
public sealed class FreeCallTests
{
    [Fact]
    public async Task The_client_finds_the_models_through_ccp()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"] = "1" });

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        Assert.Single(place.Upstream.Requests, request => request is { Method: "GET", Target: "/v1/models?limit=1000" });
        var books = await place.CloseAsync();
        Assert.Equal(2, books.Ended.Count);
        Assert.Equal(-15_760_000, Assert.Single(books.Charges).Amount.Value);
    }

    [Fact]
    public async Task Looking_at_the_context_is_free_even_with_an_empty_account()
    {
        await using var place = await Workplace.OpenAsync(balance: "0");

        var run = await place.AskAsync("/context");

        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("## Context Usage", run.Printed, StringComparison.Ordinal);
        Assert.True(place.Upstream.Requests.Count >= 10, $"The client counted {place.Upstream.Requests.Count} times.");
        Assert.All(place.Upstream.Requests, request => Assert.Equal("/v1/messages/count_tokens?beta=true", request.Target));
        var books = await place.CloseAsync();
        Assert.Equal(place.Upstream.Requests.Count, books.Ended.Count);
        Assert.All(books.Ended, line => Assert.Equal(200, line.GetProperty("status").GetInt32()));
        Assert.Empty(books.Charges);
    }
}
