using System.Net;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

/// <summary>A conversation that changes lanes while a tool is at work: the turn goes on elsewhere, and what its model thought stays where it was.</summary>
public sealed class ToolLoopTests
{
    private const string Haiku = "claude-haiku-4-5";
    private const string Manual = """{"type":"enabled","budget_tokens":2048}""";
    private const string Adaptive = """{"type":"adaptive"}""";

    [Theory]
    [InlineData(Manual)]
    [InlineData(Adaptive)]
    public async Task A_turn_may_change_lanes_at_any_of_its_tools(string thinking)
    {
        var isDown = false;
        var (zaiSigns, anthropicSigns) = (new SigningProvider("zai"), new SigningProvider("anthropic"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(request => isDown ? Answers.Overloaded() : zaiSigns.Answer(request));
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(anthropicSigns.Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var conversation = new Conversation(thinking);

        // Two tools a turn: three calls, of which each may find another lane than the one before it.
        foreach (var turn in new[] { "zaz", "aza", "zza", "zaa", "aaz", "azz", "zzz", "aaa" })
        {
            conversation.Ask("please [[tools]]");
            foreach (var lane in turn)
            {
                isDown = lane == 'a';
                await conversation.CallAsync(ccp);
            }
        }

        Assert.Empty(zaiSigns.Complaints.Concat(anthropicSigns.Complaints));
        Assert.Equal(12, anthropic.Requests.Count);
    }

    [Fact]
    public async Task While_the_turn_goes_on_it_is_sent_without_the_setting_and_the_next_question_thinks_again()
    {
        var isDown = false;
        var signs = new SigningProvider("anthropic");
        await using var zai = await ScriptedUpstreamServer.StartAsync(request => isDown ? Answers.Overloaded() : new SigningProvider("zai").Answer(request));
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(signs.Answer);
        await using var ccp = await StartAsync(anthropic, zai);
        var conversation = new Conversation(Manual);

        conversation.Ask("please [[tools]]");
        await conversation.CallAsync(ccp);
        isDown = true;
        await conversation.CallAsync(ccp);
        await conversation.CallAsync(ccp);
        conversation.Ask("and now?");
        await conversation.CallAsync(ccp);

        Assert.Equal(
            [
                conversation.Sent[1].Without(conversation.FirstThought).Without(Conversation.Settings(Manual)),
                conversation.Sent[2].Without(conversation.FirstThought).Without(Conversation.Settings(Manual)),
                conversation.Sent[3].Without(conversation.FirstThought),
            ],
            anthropic.Requests.Select(request => request.BodyText));
    }

    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer anthropic, ScriptedUpstreamServer zai) => CcpUnderTest.StartAsync(anthropic, change: setup =>
    {
        setup.Environment["ZAI_API_KEY"] = "zai-key";

        // A lane that fails again and again would be left alone, which other tests look at.
        setup.More =
            $"""
            [[lane]]
            name = "zai"
            base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
            requires = ""
            """;
    });

    /// <summary>A client that runs each tool it is asked to, and sends back all that was said.</summary>
    private sealed class Conversation(string thinking)
    {
        private readonly List<string> _messages = [];

        /// <summary>The bodies, as they left the client.</summary>
        public List<string> Sent { get; } = [];

        /// <summary>What the first answer began with, and the comma after it.</summary>
        public string FirstThought { get; private set; } = "";

        public static string Settings(string thinking) => $$$"""
            "thinking":{{{thinking}}}, "context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}, 
            """;

        public void Ask(string question) => _messages.Add($$"""{"role":"user","content":"{{question}}"}""");

        public async Task CallAsync(CcpUnderTest ccp)
        {
            Sent.Add($$"""{"model":"{{Haiku}}","max_tokens":4096, {{Settings(thinking)}}"messages":[{{string.Join(", ", _messages)}}]}""");
            using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages?beta=true", body: Sent[^1]));
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
            using var document = JsonDocument.Parse(text);
            var content = document.RootElement.GetProperty("content");
            _messages.Add($$"""{"role":"assistant","content":{{content.GetRawText()}}}""");
            if (Sent.Count == 1)
            {
                FirstThought = $"{content[0].GetRawText()},";
            }

            if (content.EnumerateArray().FirstOrDefault(block => block.TryGetProperty("id", out _)) is { ValueKind: JsonValueKind.Object } call)
            {
                _messages.Add($$"""{"role":"user","content":[{"type":"tool_result","tool_use_id":{{call.GetProperty("id").GetRawText()}},"content":"tool-ran"}]}""");
            }
        }
    }
}

file static class Text
{
    /// <summary>What stands in it once is taken out.</summary>
    public static string Without(this string text, string piece)
    {
        Assert.Equal(2, text.Split(piece).Length);
        return text.Replace(piece, "", StringComparison.Ordinal);
    }
}
