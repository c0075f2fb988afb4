using System.Net;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

/// <summary>A conversation that changes lanes: each provider gets what it has thought itself, and nothing that another has.</summary>
public sealed class ThinkingTests
{
    private const string OnZai = "claude-haiku-4-5";
    private const string OnAnthropic = "claude-sonnet-5-5";

    /// <summary>Signed by nobody that ccp has heard of, as from before its time.</summary>
    private const string Unknown = """{"type":"thinking","thinking":"...","signature":"YW50aHJvcGljOjA6"}""";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_conversation_moves_between_lanes_and_back_and_is_refused_by_none(bool stream)
    {
        var (zaiSigns, anthropicSigns) = (new SigningProvider("zai"), new SigningProvider("anthropic"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(zaiSigns.Answer);
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(anthropicSigns.Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var conversation = new Conversation(stream);

        foreach (var model in new[] { OnZai, OnAnthropic, OnZai, OnAnthropic, OnAnthropic, OnZai, OnZai, OnAnthropic })
        {
            await conversation.AskAsync(ccp, model);
        }

        Assert.Empty(zaiSigns.Complaints.Concat(anthropicSigns.Complaints));
        Assert.Equal(conversation.SentTo(OnZai, zaiSigns, "glm-4.5-air"), zai.Requests.Select(request => request.BodyText));
        Assert.Equal(conversation.SentTo(OnAnthropic, anthropicSigns, OnAnthropic), anthropic.Requests.Select(request => request.BodyText));

        // A provider finds the prompt that it knows, and more after it.
        foreach (var (before, after) in new[] { zai, anthropic }.SelectMany(lane => lane.Requests.Zip(lane.Requests.Skip(1))))
        {
            Assert.StartsWith(before.BodyText[..before.BodyText.LastIndexOf(Conversation.End, StringComparison.Ordinal)], after.BodyText, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_a_block_of_another_lane_the_very_bytes_are_sent()
    {
        var signs = new SigningProvider("anthropic");
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(signs.Answer);
        await using var zai = await ScriptedUpstreamServer.StartAsync(new SigningProvider("zai").Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var conversation = new Conversation(stream: true);

        for (var turn = 0; turn < 4; turn++)
        {
            await conversation.AskAsync(ccp, OnAnthropic, Unknown);
        }

        Assert.Empty(signs.Complaints);
        Assert.Equal(conversation.Sent, anthropic.Requests.Select(request => request.BodyText));
    }

    [Theory]
    [InlineData("""{"type":"thinking","thinking":"...","signature":""}""")]
    [InlineData("""{"type":"thinking","thinking":"...","signature":null}""")]
    [InlineData("""{"type":"thinking","thinking":"..."}""")]
    public async Task What_a_lane_thought_without_signing_it_does_not_go_to_the_one_that_signs(string block)
    {
        var signs = new SigningProvider("anthropic");
        await using var zai = await ScriptedUpstreamServer.StartAsync(ClaudeCodeAnswers.Answer);
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(signs.Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var conversation = new Conversation(stream: true);

        await conversation.AskAsync(ccp, OnZai, block);
        await conversation.AskAsync(ccp, OnAnthropic);
        await conversation.AskAsync(ccp, OnZai);

        Assert.Empty(signs.Complaints);
        Assert.DoesNotContain(block, Assert.Single(anthropic.Requests).BodyText, StringComparison.Ordinal);
        Assert.Contains(block, zai.Requests[^1].BodyText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"role":"\ud800","content":[BLOCK]}""")]
    [InlineData("""{"role":"assistant","content":[BLOCK,{"type":"thin\ud800king"}]}""")]
    [InlineData("""{"role":"assistant","content":[{"type":"thinking","thinking":"...","signature":"\udc00"}]}""")]
    public async Task Half_a_surrogate_where_thinking_is_looked_for_is_the_client_s_mistake_and_goes_nowhere(string turn)
    {
        await using var zai = await ScriptedUpstreamServer.StartAsync(ClaudeCodeAnswers.Answer);
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(ClaudeCodeAnswers.Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var body = $$"""{"model":"{{OnAnthropic}}","max_tokens":64,"messages":[{"role":"user","content":"hi"},{{turn.Replace("BLOCK", Unknown, StringComparison.Ordinal)}}]}""";

        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages?beta=true", body: body));

        await SaidNo.AssertAsync(answer, 400, "invalid_request_error", "not valid UTF-8");
        await ccp.StopAsync();
        Assert.Equal((0, 0), (anthropic.Requests.Count, zai.Requests.Count));
        Assert.Equal("body_malformed", Assert.Single(UsageLines.Completions(ccp)).GetProperty("reason").GetString());
        Assert.Empty(ccp.Store.OpenHolds);
    }

    [Fact]
    public async Task A_restart_forgets_nothing()
    {
        var (zaiSigns, anthropicSigns) = (new SigningProvider("zai"), new SigningProvider("anthropic"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(zaiSigns.Answer);
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(anthropicSigns.Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var conversation = new Conversation(stream: true);

        foreach (var model in new[] { OnZai, OnAnthropic, OnZai, OnAnthropic })
        {
            await conversation.AskAsync(ccp, model);
            await ccp.StopAsync();
            await ccp.RunAsync();
        }

        Assert.Empty(zaiSigns.Complaints.Concat(anthropicSigns.Complaints));
    }

    [Fact]
    public async Task A_call_that_falls_back_is_cut_to_fit_the_lane_it_falls_back_to()
    {
        var isDown = false;
        var (zaiSigns, anthropicSigns) = (new SigningProvider("zai"), new SigningProvider("anthropic"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(request => isDown ? Answers.Overloaded() : zaiSigns.Answer(request));
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(anthropicSigns.Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var conversation = new Conversation(stream: true);

        await conversation.AskAsync(ccp, OnZai);
        isDown = true;
        await conversation.AskAsync(ccp, OnZai);
        await conversation.AskAsync(ccp, OnZai);
        isDown = false;
        await conversation.AskAsync(ccp, OnZai);

        Assert.Empty(zaiSigns.Complaints.Concat(anthropicSigns.Complaints));
        Assert.Equal((4, 2), (zai.Requests.Count, anthropic.Requests.Count));
        Assert.All(anthropic.Requests, request => Assert.Contains($"\"{OnZai}\"", request.BodyText, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_turn_that_was_nothing_but_another_lane_s_thinking_goes_as_a_whole()
    {
        var signs = new SigningProvider("anthropic");
        await using var zai = await ScriptedUpstreamServer.StartAsync(new SigningProvider("zai").Answer);
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(signs.Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var conversation = new Conversation(stream: false);
        await conversation.AskAsync(ccp, OnZai);
        conversation.ForgetWhatWasSaid();

        await conversation.AskAsync(ccp, OnAnthropic);

        Assert.Empty(signs.Complaints);
        Assert.Equal(["user", "user"], Assert.Single(anthropic.Requests).Json().GetProperty("messages").EnumerateArray().Select(turn => turn.GetProperty("role").GetString()));
    }

    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer anthropic, ScriptedUpstreamServer zai) => CcpUnderTest.StartAsync(anthropic, change: setup =>
    {
        setup.Environment["ZAI_API_KEY"] = "zai-key";
        setup.More =
            $"""
            [[lane]]
            name = "zai"
            base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
            requires = ""
            """;
    });

    /// <summary>A client that sends all that was said, with the thinking as it came, spaced as no serializer would.</summary>
    private sealed class Conversation(bool stream)
    {
        public const string End = " ],";

        private readonly List<string> _turns = [];
        private readonly List<(string Model, List<string> Turns)> _asked = [];

        /// <summary>The bodies, as they left the client.</summary>
        public IEnumerable<string> Sent => _asked.Select(ask => Body(ask.Model, ask.Turns));

        /// <summary>Those for one model, as its provider should get them.</summary>
        public IEnumerable<string> SentTo(string model, SigningProvider provider, string name) =>
            _asked.Where(ask => ask.Model == model).Select(ask => Body(name, ask.Turns.ConvertAll(turn => Without(turn, provider))));

        /// <param name="block">Put before what the model answers.</param>
        public async Task AskAsync(CcpUnderTest ccp, string model, string? block = null)
        {
            _turns.Add($$"""{ "role": "user", "content": "question {{_turns.Count}}" }""");
            _asked.Add((model, [.. _turns]));
            using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages?beta=true", body: Body(model, _turns)));
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
            var blocks = (stream ? OfStream(text) : [.. JsonDocument.Parse(text).RootElement.GetProperty("content").EnumerateArray().Select(each => each.GetRawText())]).Prepend(block).OfType<string>();
            _turns.Add($$"""{"role":"assistant", "content":[{{string.Join(", ", blocks)}}]}""");
        }

        public void ForgetWhatWasSaid() => _turns[^1] = $$"""{"role":"assistant","content":[{{Blocks(_turns[^1])[0]}}]}""";

        private string Body(string model, IEnumerable<string> turns) =>
            $$"""{"model":"{{model}}","max_tokens":1024, "messages": [ {{string.Join(",\n ", turns)}}{{End}}"thinking":{"type":"adaptive"},"stream":{{(stream ? "true" : "false")}}}""";

        private static List<string> Blocks(string turn) => [.. JsonDocument.Parse(turn).RootElement.GetProperty("content").EnumerateArray().Select(block => block.GetRawText())];

        /// <summary>The turn as it stands but for its thinking, which is its first block, when another signed it.</summary>
        private static string Without(string turn, SigningProvider provider)
        {
            using var document = JsonDocument.Parse(turn);
            return document.RootElement.GetProperty("content") is { ValueKind: JsonValueKind.Array } content && !provider.IsOwn(SigningProvider.SignatureOf(content[0])!)
                ? turn.Replace($"{content[0].GetRawText()}, ", "", StringComparison.Ordinal)
                : turn;
        }

        /// <summary>What the SDK makes of the events.</summary>
        private static List<string> OfStream(string text)
        {
            var (blocks, isThinking, thought, signature, said) = (new List<string>(), false, "", "", "");
            foreach (var line in text.Split('\n').Where(line => line.StartsWith("data: ", StringComparison.Ordinal)))
            {
                var data = JsonDocument.Parse(line["data: ".Length..]).RootElement;
                switch (data.GetProperty("type").GetString())
                {
                    case "content_block_start" when data.GetProperty("content_block").GetProperty("type").GetString() == "redacted_thinking":
                        blocks.Add(data.GetProperty("content_block").GetRawText());
                        break;
                    case "content_block_start":
                        (isThinking, thought, said) = (data.GetProperty("content_block").GetProperty("type").GetString() == "thinking", "", "");
                        break;
                    case "content_block_delta":
                        var delta = data.GetProperty("delta");
                        thought += delta.TryGetProperty("thinking", out var piece) ? piece.GetString() : "";
                        said += delta.TryGetProperty("text", out piece) ? piece.GetString() : "";
                        signature = delta.TryGetProperty("signature", out piece) ? piece.GetString()! : signature;
                        break;
                    case "content_block_stop" when isThinking:
                        blocks.Add($$"""{"type":"thinking","thinking":"{{thought}}","signature":"{{signature}}"}""");
                        isThinking = false;
                        break;
                    case "content_block_stop" when said.Length > 0:
                        blocks.Add($$"""{"type":"text","text":"{{said}}"}""");
                        break;
                }
            }

            return blocks;
        }
    }
}
