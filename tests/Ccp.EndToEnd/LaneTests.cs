using System.Text.Json;
using Ccp.EndToEnd.Hosting;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.EndToEnd;

/// <summary>Two lanes and the real client: what a license, and the client's own switches, send to the second one.</summary>
public sealed class LaneTests
{
    private const string ZaiKey = "zai-key-that-must-stay-inside";
    private const string Glm = "glm-4.5-air";
    private const string Haiku = "claude-haiku-5-5";
    private const string Opus = "claude-opus-5-5";

    [Fact]
    public async Task A_license_moves_haiku_to_the_second_lane_while_ccp_runs_and_its_end_moves_it_back()
    {
        await using var zai = await ScriptedUpstreamServer.StartAsync(AnswerAsZai);
        await using var place = await OpenAsync(zai);

        var community = await place.AskAsync("hello", "--model", "haiku");
        var (here, there) = (place.Upstream.Requests.Count, zai.Requests.Count);
        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (community.ExitCode, community.Printed));
        Assert.True(here > 0);
        Assert.Equal(0, there);

        Assert.Contains("edition   pro", await CcpCommand.RunAsync(place.Ccp, "license", "activate", IssuedLicense.Pack(TimeProvider.System.GetUtcNow())), StringComparison.Ordinal);
        Assert.Matches("zai .* ready", await CcpCommand.RunAsync(place.Ccp, "lanes"));
        var licensed = await place.AskAsync("hello", "--model", "haiku");
        Assert.Equal((0, "Hello from the other lane."), (licensed.ExitCode, licensed.Printed));
        Assert.Equal(here, place.Upstream.Requests.Count);
        var moved = zai.Requests.Count;
        Assert.Equal(here, moved);
        Assert.All(zai.Requests, IsClean);

        await CcpCommand.RunAsync(place.Ccp, "license", "deactivate");
        var after = await place.AskAsync("hello", "--model", "haiku");
        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (after.ExitCode, after.Printed));
        Assert.Equal((2 * here, moved), (place.Upstream.Requests.Count, zai.Requests.Count));
        Assert.All(place.Upstream.Requests, request => Assert.Equal((CcpUnderTest.TeamKey, Haiku), (request.Header("x-api-key"), request.Json().GetProperty("model").GetString())));

        await place.Ccp.StopAsync();
        var lines = UsageLines.All(place.Ccp);
        Assert.Equal(
            [.. Enumerable.Repeat("anthropic license_block", here), .. Enumerable.Repeat("zai default", here), .. Enumerable.Repeat("anthropic license_block", here)],
            lines.Where(line => line.TryGetProperty("event", out _)).Select(line => $"{line.GetProperty("decision").GetString()} {line.GetProperty("decision_reason").GetString()}"));
        Assert.Equal(
            [.. Enumerable.Repeat("anthropic", here), .. Enumerable.Repeat("zai", here), .. Enumerable.Repeat("anthropic", here)],
            lines.Where(line => !line.TryGetProperty("event", out _)).Select(line => line.GetProperty("lane").GetString()));
        Assert.Contains("findings     0", await CcpCommand.RunAsync(place.Ccp, "verify", Path.Combine(place.Ccp.Home, "logs", "usage.jsonl")), StringComparison.Ordinal);
        NothingLeaked(place, lines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_sub_agent_on_haiku_goes_to_the_second_lane_while_the_main_model_stays(bool isChosenByTheModel)
    {
        await using var zai = await ScriptedUpstreamServer.StartAsync(AnswerAsZai);
        await using var place = await OpenAsync(zai, request => isChosenByTheModel && MessagesRequest.Read(request) is { } ask && ask.LastUserText.Contains("[[haiku agent]]", StringComparison.Ordinal)
            ? Answers.ToolUse(
                ask.Model,
                "Agent",
                """{"description":"Say hello","prompt":"Please say hello.","subagent_type":"general-purpose","model":"haiku","run_in_background":false}""",
                ClaudeCodeAnswers.MainUsage,
                ask.Streams)
            : ClaudeCodeAnswers.Answer(request));
        await CcpCommand.RunAsync(place.Ccp, "license", "activate", IssuedLicense.Pack(TimeProvider.System.GetUtcNow()));

        var run = isChosenByTheModel
            ? await place.AskAsync("please [[haiku agent]]")
            : await place.AskAsync("please [[agent]]", new Dictionary<string, string> { ["CLAUDE_CODE_SUBAGENT_MODEL"] = Haiku });

        Assert.Equal((0, $"The sub-agent said: {ClaudeCodeAnswers.AgentReport}"), (run.ExitCode, run.Printed));
        IsClean(Assert.Single(zai.Requests));
        Assert.Equal([Opus, Opus], place.Upstream.Requests.Select(request => request.Json().GetProperty("model").GetString()));

        await place.Ccp.StopAsync();
        var lines = UsageLines.All(place.Ccp);
        Assert.Equal(
            ["anthropic agent: False", "anthropic agent: False", "zai agent: True"],
            UsageLines.Completions(place.Ccp).Select(line => $"{line.GetProperty("lane").GetString()} agent: {line.TryGetProperty("agent", out _)}").Order(StringComparer.Ordinal));
        Assert.Single(lines.Select(line => line.GetProperty("session").GetString()).Distinct());
        NothingLeaked(place, lines);
    }

    private static Task<Workplace> OpenAsync(ScriptedUpstreamServer zai, Func<RecordedRequest, Script>? answer = null) => Workplace.OpenAsync(answer, change: setup =>
    {
        setup.LicenseKeys = IssuedLicense.Keys;
        setup.Environment["ZAI_API_KEY"] = ZaiKey;
        setup.More = $"""
            [[lane]]
            name = "zai"
            base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
            """;
    });

    /// <summary>The other provider knows nothing of Claude Code: its sub-agent is a conversation like any other.</summary>
    private static Script AnswerAsZai(RecordedRequest request)
    {
        if (request.Method != "POST" || MessagesRequest.Read(request) is not { } ask)
        {
            return Answers.NotFound(request.Path);
        }

        var text = ask.LastUserText.Contains("Please say hello.", StringComparison.Ordinal) ? ClaudeCodeAnswers.AgentReport : "Hello from the other lane.";
        return ask.Streams ? Answers.Stream(ask.Model, [text], ClaudeCodeAnswers.AgentUsage) : Answers.Message(ask.Model, text, ClaudeCodeAnswers.AgentUsage);
    }

    /// <summary>The lane's own model and key, and nothing of the client's, or of the other lane's, that is not the conversation.</summary>
    private static void IsClean(RecordedRequest request)
    {
        Assert.Equal((Glm, ZaiKey, null), (request.Json().GetProperty("model").GetString(), request.Header("x-api-key"), request.Header("authorization")));
        Assert.DoesNotContain("x-anthropic-billing-header", request.BodyText, StringComparison.Ordinal);
        Assert.DoesNotContain(request.Headers, header => header.Name.StartsWith("x-claude", StringComparison.OrdinalIgnoreCase)
            || header.Name.StartsWith("x-stainless", StringComparison.OrdinalIgnoreCase)
            || header.Name.Equals("x-app", StringComparison.OrdinalIgnoreCase)
            || header.Value.Contains(CcpUnderTest.Alice, StringComparison.Ordinal)
            || header.Value.Contains(CcpUnderTest.TeamKey, StringComparison.Ordinal));
    }

    private static void NothingLeaked(Workplace place, IReadOnlyList<JsonElement> lines)
    {
        var written = string.Concat(lines.Select(line => line.GetRawText())) + place.Ccp.Log;
        Assert.All([ZaiKey, CcpUnderTest.TeamKey, CcpUnderTest.Alice, IssuedLicense.Subject], secret => Assert.DoesNotContain(secret, written, StringComparison.Ordinal));
    }
}
