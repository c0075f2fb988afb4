namespace Ccp.ScriptedUpstream;

/// <summary>Answers good enough for the real Claude Code client, chosen by a mark in what the person typed.</summary>
/// <remarks>
/// <list type="table">
/// <item><term><c>[[tool]]</c></term><description>asks for Bash (<c>echo tool-ran</c>), then says what it printed</description></item>
/// <item><term><c>[[agent]]</c></term><description>asks for a sub-agent, which answers a line, then ends</description></item>
/// <item><term><c>[[slow]]</c></term><description>some text, then silence until the client leaves</description></item>
/// <item><term><c>[[529]]</c></term><description>overloaded, every time</description></item>
/// <item><term><c>[[long]]</c></term><description>200 lines of text</description></item>
/// <item><term>no mark</term><description><see cref="Greeting"/></description></item>
/// </list>
/// Every answer reports one of the usages below, so that a test can reckon what a conversation cost.
/// </remarks>
public static class ClaudeCodeAnswers
{
    public const string Greeting = "Hello from the scripted upstream.";

    public const string AgentReport = "Hello from the scripted sub-agent.";

    /// <summary>All answers but those of a sub-agent and <c>[[long]]</c>.</summary>
    public static Usage MainUsage { get; } = new(Input: 1_200, Output: 24, CacheWrite5m: 400, CacheRead: 3_000);

    public static Usage AgentUsage { get; } = new(Input: 800, Output: 12);

    public static Usage LongUsage { get; } = MainUsage with { Output = 1_600 };

    public static IReadOnlyList<string> Models { get; } = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"];

    // By the end of the path: an upstream may live under a prefix.
    public static Script Answer(RecordedRequest request) => request switch
    {
        { Method: "POST" } when request.Path.EndsWith("/v1/messages", StringComparison.Ordinal) => AnswerMessages(request),
        { Method: "POST" } when request.Path.EndsWith("/v1/messages/count_tokens", StringComparison.Ordinal) =>
            Answers.CountTokens(MainUsage.Input),
        { Method: "GET" } when request.Path.EndsWith("/v1/models", StringComparison.Ordinal) => Answers.Models([.. Models]),
        { Method: "HEAD" or "GET", Path: "/" or "/api/hello" } => Script.Json(200, """{"message":"hello"}"""),
        _ => Answers.NotFound(request.Path),
    };

    private static Script AnswerMessages(RecordedRequest request)
    {
        if (MessagesRequest.Read(request) is not { } ask)
        {
            return Answers.Error(400, "invalid_request_error", "The request body is not a Messages request.");
        }

        var isAgent = request.Header("x-claude-code-agent-id") is not null;
        return ask switch
        {
            // The title request quotes what the person typed, marks and all.
            { WantsJson: true } => Say(ask, """{"title":"Scripted session"}""", MainUsage),

            // The client wraps a sub-agent's report in a page of caveats for the model, which are not for the person.
            { LastToolResult: { } result } when result.Contains(AgentReport, StringComparison.Ordinal) =>
                Say(ask, $"The sub-agent said: {AgentReport}", MainUsage),
            { LastToolResult: { } result } => Say(ask, $"The tool said: {result}", MainUsage),
            _ when isAgent => Say(ask, AgentReport, AgentUsage),
            _ when Marked(ask, "[[tool]]") => Use(ask, "Bash", """{"command":"echo tool-ran","description":"Say that the tool ran"}"""),
            _ when Marked(ask, "[[agent]]") => Use(
                ask,
                "Agent",
                """{"description":"Say hello","prompt":"Please say hello.","subagent_type":"general-purpose","run_in_background":false}"""),
            _ when Marked(ask, "[[slow]]") => SayThenHang(ask),
            _ when Marked(ask, "[[529]]") => Answers.Overloaded(),
            _ when Marked(ask, "[[long]]") => Say(ask, LongLines(), LongUsage),
            _ => Say(ask, Greeting, MainUsage),
        };
    }

    private static bool Marked(MessagesRequest ask, string mark) => ask.LastUserText.Contains(mark, StringComparison.Ordinal);

    private static Script Say(MessagesRequest ask, string text, Usage usage) => Say(ask, Words(text), usage);

    private static Script Say(MessagesRequest ask, IEnumerable<string> pieces, Usage usage) => ask.Streams
        ? Answers.Stream(ask.Model, pieces, usage)
        : Answers.Message(ask.Model, string.Concat(pieces), usage);

    private static Script Use(MessagesRequest ask, string tool, string input) =>
        Answers.ToolUse(ask.Model, tool, input, MainUsage, ask.Streams);

    private static Script SayThenHang(MessagesRequest ask) => ask.Streams
        ? Answers.BeginStream()
            .Send(SseEvents.MessageStart(ask.Model, MainUsage))
            .Send(SseEvents.TextStart())
            .Send(SseEvents.TextDelta("This will take "))
            .Send(SseEvents.TextDelta("a while"))
            .Hang()
        : Script.Stall();

    private static IEnumerable<string> LongLines() =>
        Enumerable.Range(1, 200).Select(line => $"Line {line} of a long answer from the scripted upstream.\n");

    /// <summary>As a model streams them: each piece a word with the space before it.</summary>
    private static IEnumerable<string> Words(string text) => text.Split(' ').Select((word, at) => at == 0 ? word : $" {word}");
}
