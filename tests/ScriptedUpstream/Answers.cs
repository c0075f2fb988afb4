namespace Ccp.ScriptedUpstream;

/// <summary>Ready-made answers in the form Anthropic gives them. Extra headers replace the ready-made ones of the same name.</summary>
public static class Answers
{
    /// <summary>The head of a stream and nothing else yet, for scripts that go on with <see cref="SseEvents"/>.</summary>
    public static Script BeginStream(params (string Name, string Value)[] headers) => Script.Head(
        200,
        [
            ("content-type", "text/event-stream; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("request-id", Ids.Next("req_")),
            .. headers,
        ]);

    /// <summary>A whole stream: every event is one send, every text piece one delta.</summary>
    public static Script Stream(string model, IEnumerable<string> text, Usage usage, params (string Name, string Value)[] headers)
    {
        var script = BeginStream(headers)
            .Send(SseEvents.MessageStart(model, usage))
            .Send(SseEvents.TextStart())
            .Send(SseEvents.Ping);
        script = text.Aggregate(script, (sofar, piece) => sofar.Send(SseEvents.TextDelta(piece)));
        return script
            .Send(SseEvents.BlockStop())
            .Send(SseEvents.MessageDelta(usage))
            .Send(SseEvents.MessageStop);
    }

    /// <summary>The same as one JSON message.</summary>
    public static Script Message(string model, string text, Usage usage, params (string Name, string Value)[] headers) =>
        Whole(model, $$"""{"type":"text","text":{{SseEvents.Quote(text)}}}""", "end_turn", usage, headers);

    /// <summary>A turn that asks for a tool.</summary>
    /// <param name="input">The tool's arguments, a JSON object.</param>
    /// <param name="stream">False gives one JSON message instead.</param>
    public static Script ToolUse(string model, string tool, string input, Usage usage, bool stream = true)
    {
        if (!stream)
        {
            return Whole(model, SseEvents.ToolBlock(tool, input), "tool_use", usage);
        }

        // Anthropic opens with an empty fragment and cuts the rest anywhere, also within a word.
        var middle = input.Length / 2;
        return BeginStream()
            .Send(SseEvents.MessageStart(model, usage))
            .Send(SseEvents.ToolStart(tool, 0))
            .Send(SseEvents.Ping)
            .Send(SseEvents.ToolDelta("", 0))
            .Send(SseEvents.ToolDelta(input[..middle], 0))
            .Send(SseEvents.ToolDelta(input[middle..], 0))
            .Send(SseEvents.BlockStop())
            .Send(SseEvents.MessageDelta(usage, "tool_use"))
            .Send(SseEvents.MessageStop);
    }

    public static Script Error(int status, string type, string message, params (string Name, string Value)[] headers)
    {
        var id = Ids.Next("req_");
        return Script.Json(
            status,
            $$"""{{SseEvents.ErrorJson(type, message)[..^1]}},"request_id":"{{id}}"}""",
            [("request-id", id), .. headers]);
    }

    public static Script Overloaded() => Error(529, "overloaded_error", "Overloaded", ("x-should-retry", "true"));

    /// <summary>429 with what a shared key's owner would be told about their quota.</summary>
    public static Script RateLimited(int retryAfterSeconds) => Error(
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit.",
        ("retry-after", $"{retryAfterSeconds}"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", "2030-01-01T00:00:00Z"),
        ("anthropic-ratelimit-input-tokens-limit", "30000"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        ("anthropic-ratelimit-input-tokens-reset", "2030-01-01T00:00:00Z"),
        ("anthropic-ratelimit-output-tokens-limit", "8000"),
        ("anthropic-ratelimit-output-tokens-remaining", "8000"),
        ("anthropic-ratelimit-output-tokens-reset", "2030-01-01T00:00:00Z"));

    public static Script Unauthorized() =>
        Error(401, "authentication_error", "invalid x-api-key", ("x-should-retry", "false"));

    public static Script NotFound(string path) => Error(404, "not_found_error", $"Not found: {path}");

    public static Script CountTokens(long tokens) => Ok($$"""{"input_tokens":{{tokens}}}""");

    public static Script Models(params string[] ids)
    {
        var models = ids.Select(id =>
            $$"""{"type":"model","id":{{SseEvents.Quote(id)}},"display_name":{{SseEvents.Quote(id)}},"created_at":"2026-01-01T00:00:00Z"}""");
        var first = ids.Length == 0 ? "null" : SseEvents.Quote(ids[0]);
        var last = ids.Length == 0 ? "null" : SseEvents.Quote(ids[^1]);
        return Ok($$"""{"data":[{{string.Join(',', models)}}],"has_more":false,"first_id":{{first}},"last_id":{{last}}}""");
    }

    /// <summary>A recorded stream, byte for byte, cut at these offsets.</summary>
    public static Script Tape(byte[] stream, params int[] cuts) => BeginStream().SendInPieces(stream, cuts);

    private static Script Whole(
        string model, string block, string stopReason, Usage usage, params (string Name, string Value)[] headers) => Ok(
        $$"""{"id":"{{Ids.Next("msg_")}}","type":"message","role":"assistant","model":{{SseEvents.Quote(model)}},"content":[{{block}}],"stop_reason":"{{stopReason}}","stop_sequence":null,"usage":{{usage.ToJson(usage.Output)}}}""",
        headers);

    private static Script Ok(string json, params (string Name, string Value)[] headers) =>
        Script.Json(200, json, [("request-id", Ids.Next("req_")), .. headers]);
}
