using System.Text.Json;
using Ccp.EndToEnd.Hosting;
using Ccp.ScriptedUpstream;

namespace Ccp.EndToEnd;

/// <summary>One session of the real client that goes from one provider to the other and back, each of which signs its thinking and refuses the other's.</summary>
public sealed class ThinkingTests
{
    [Fact]
    public async Task A_session_moves_from_zai_to_anthropic_and_back_twice_and_is_refused_by_neither()
    {
        var (zaiSigns, anthropicSigns) = (new SigningProvider("zai"), new SigningProvider("anthropic"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(zaiSigns.Answer);
        await using var place = await Workplace.OpenAsync(anthropicSigns.Answer, change: setup =>
        {
            setup.Environment["ZAI_API_KEY"] = "zai-key-that-must-stay-inside";

            // The lane asks for no license, so that any build may serve it.
            setup.More =
                $"""
                [[lane]]
                name = "zai"
                base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
                requires = ""
                """;
        });

        await AskAsync(place, "zai says 1", "--model", "claude-haiku-5-5");
        await AskAsync(place, "anthropic says 1", "--continue", "--model", "claude-sonnet-5-5");
        await AskAsync(place, "zai says 2", "--continue", "--model", "claude-haiku-5-5");
        await AskAsync(place, "anthropic says 2", "--continue", "--model", "claude-sonnet-5-5");

        Assert.Empty(zaiSigns.Complaints.Concat(anthropicSigns.Complaints));
        Assert.Empty(zai.Faults.Concat(place.Upstream.Faults));

        // The last request holds the whole conversation, and of the thinking in it that of its own provider.
        Assert.Equal(["zai says 1", "anthropic says 1", "zai says 2"], Said(place.Upstream.Requests[^1]));
        var thoughts = Thoughts(place.Upstream.Requests[^1]);
        Assert.NotEmpty(thoughts);
        Assert.All(thoughts, signature => Assert.True(anthropicSigns.IsOwn(signature)));
        Assert.All(Thoughts(zai.Requests[^1]), signature => Assert.True(zaiSigns.IsOwn(signature)));
    }

    private static async Task AskAsync(Workplace place, string answer, params string[] options)
    {
        var run = await place.AskAsync("go on", options);
        Assert.Equal((0, answer), (run.ExitCode, run.Printed));
    }

    private static List<string> Said(RecordedRequest request) =>
        [.. Blocks(request).Where(block => block.GetProperty("type").GetString() == "text").Select(block => block.GetProperty("text").GetString()!)];

    private static List<string> Thoughts(RecordedRequest request) => [.. Blocks(request).Select(SigningProvider.SignatureOf).OfType<string>()];

    private static IEnumerable<JsonElement> Blocks(RecordedRequest request) => request.Json().GetProperty("messages").EnumerateArray()
        .Where(turn => turn.GetProperty("role").GetString() == "assistant")
        .SelectMany(turn => turn.GetProperty("content").EnumerateArray());
}
