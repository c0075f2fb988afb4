using System.Text.Json;
using Ccp.EndToEnd.Hosting;
using Ccp.ScriptedUpstream;

namespace Ccp.EndToEnd;

/// <summary>One session of the real client that goes from one provider to the other and back, each of which signs its thinking and refuses the other's.</summary>
public sealed class ThinkingTests
{
    private const string Haiku = "claude-haiku-5-5";
    private const string Sonnet = "claude-sonnet-5-5";

    [Fact]
    public async Task The_person_chooses_another_model_and_comes_back()
    {
        var (zaiSigns, anthropicSigns) = (new SigningProvider("zai"), new SigningProvider("anthropic"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(zaiSigns.Answer);
        await using var place = await OpenAsync(zai, anthropicSigns);

        await AskAsync(place, "zai says 1", "--model", Haiku);
        await AskAsync(place, "anthropic says 1", "--continue", "--model", Sonnet);
        await AskAsync(place, "zai says 2", "--continue", "--model", Haiku);
        await AskAsync(place, "anthropic says 2", "--continue", "--model", Sonnet);

        NobodyComplained(place, zai, zaiSigns, anthropicSigns);
    }

    /// <summary>
    /// The client leaves out by itself what another model has thought, going by the name of the model that answered. Here the name stays the same: only ccp can tell. A
    /// client that is refused asks again without any thinking, so it is the providers that say whether all went well.
    /// </summary>
    [Fact]
    public async Task The_operator_moves_the_model_to_another_lane_and_back()
    {
        var (zaiSigns, anthropicSigns) = (new SigningProvider("zai", answersAs: Haiku), new SigningProvider("anthropic"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(zaiSigns.Answer);
        await using var place = await OpenAsync(zai, anthropicSigns);

        await AskAsync(place, "zai says 1", "--model", Haiku);
        await PauseAsync(place, "1");
        await AskAsync(place, "anthropic says 1", "--continue", "--model", Haiku);
        await PauseAsync(place, "0");
        await AskAsync(place, "zai says 2", "--continue", "--model", Haiku);
        await PauseAsync(place, "1");
        await AskAsync(place, "anthropic says 2", "--continue", "--model", Haiku);

        NobodyComplained(place, zai, zaiSigns, anthropicSigns);
        Assert.Equal((2, 2), (zai.Requests.Count, place.Upstream.Requests.Count));
        Assert.Single(Thoughts(zai.Requests[^1]));
    }

    /// <summary>This model thinks with a budget, and its provider then wants each turn that goes on to begin with thinking.</summary>
    [Fact]
    public async Task A_lane_fails_while_the_client_runs_a_tool()
    {
        const string ThinksWithBudget = "claude-haiku-4-5";
        var (zaiSigns, anthropicSigns) = (new SigningProvider("zai", answersAs: ThinksWithBudget), new SigningProvider("anthropic"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(request => request.BodyText.Contains("\"tool_result\"", StringComparison.Ordinal) ? Answers.Overloaded() : zaiSigns.Answer(request));
        await using var place = await OpenAsync(zai, anthropicSigns);

        var run = await place.AskAsync("please [[tool]]", "--model", ThinksWithBudget, "--allowedTools", "Bash");

        Assert.Equal((0, "anthropic says 1"), (run.ExitCode, run.Printed));
        Assert.Empty(zaiSigns.Complaints.Concat(anthropicSigns.Complaints));
        Assert.Equal("enabled", zai.Requests[0].Json().GetProperty("thinking").GetProperty("type").GetString());
        Assert.Empty(Thoughts(Assert.Single(place.Upstream.Requests)));
    }

    private static void NobodyComplained(Workplace place, ScriptedUpstreamServer zai, SigningProvider zaiSigns, SigningProvider anthropicSigns)
    {

        Assert.Empty(zaiSigns.Complaints.Concat(anthropicSigns.Complaints));
        Assert.Empty(zai.Faults.Concat(place.Upstream.Faults));

        // The last request holds the whole conversation, and of the thinking in it that of its own provider.
        Assert.Equal(["zai says 1", "anthropic says 1", "zai says 2"], Said(place.Upstream.Requests[^1]));
        var thoughts = Thoughts(place.Upstream.Requests[^1]);
        Assert.NotEmpty(thoughts);
        Assert.All(thoughts, signature => Assert.True(anthropicSigns.IsOwn(signature)));
        Assert.All(Thoughts(zai.Requests[^1]), signature => Assert.True(zaiSigns.IsOwn(signature)));
    }

    private static Task<Workplace> OpenAsync(ScriptedUpstreamServer zai, SigningProvider anthropic) => Workplace.OpenAsync(anthropic.Answer, change: setup =>
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

    /// <summary>With a restart, which must not forget who signed what.</summary>
    private static async Task PauseAsync(Workplace place, string isPaused)
    {
        await place.Ccp.StopAsync();
        place.Ccp.Setup.Environment["OFFLOAD_PAUSED"] = isPaused;
        await place.Ccp.RunAsync();
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
