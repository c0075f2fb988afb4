using System.Text;
using System.Text.Json;

namespace Ccp.ScriptedUpstream;

/// <summary>A provider that signs what it thinks, and refuses thinking that it has not signed itself, as providers do.</summary>
/// <remarks>
/// Every answer thinks (each third one without showing it), then says <c>NAME says N</c>. Asked for <c>[[tool]]</c> or <c>[[tools]]</c> it first calls one tool, or two; where
/// thinking has a budget, only the first answer of a turn thinks. What is no call for a model, and a session's title, is answered as <see cref="ClaudeCodeAnswers"/> does.
/// It also refuses what the Messages API does: no messages, a first one that is not the user's, a turn without content; thinking with a budget in a turn that goes on and does
/// not begin with thinking; an edit of thinking where none is asked for.
/// Source: https://platform.claude.com/docs/en/build-with-claude/thinking, and what clients report of the last (read 2026-11).
/// </remarks>
/// <param name="answersAs">The model that it says has answered; null: the one that was asked.</param>
public sealed class SigningProvider(string name, string? answersAs = null)
{
    public static readonly Usage Counted = new(Input: 1_000, Output: 100);

    private const string Tool = "Bash";
    private const string ToolInput = """{"command":"echo tool-ran","description":"Say that the tool ran"}""";

    private readonly Lock _lock = new();
    private readonly List<string> _complaints = [];
    private int _last;

    /// <summary>Why it has refused requests; empty when all went well.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_lock)
            {
                return [.. _complaints];
            }
        }
    }

    public Script Answer(RecordedRequest request)
    {
        if (request.Method != "POST" || !request.Path.EndsWith("/v1/messages", StringComparison.Ordinal) || MessagesRequest.Read(request) is not { WantsJson: false } ask)
        {
            return ClaudeCodeAnswers.Answer(request);
        }

        var body = request.Json();
        var mode = body.TryGetProperty("thinking", out var thinking) ? thinking.GetProperty("type").GetString() : null;
        var turn = OpenTurn.Of(body.GetProperty("messages"));
        if ((FindFault(body.GetProperty("messages")) ?? FindFaultOfThinking(body, mode, turn)) is { } fault)
        {
            lock (_lock)
            {
                _complaints.Add(fault);
            }

            return Answers.Error(400, "invalid_request_error", fault);
        }

        var number = Interlocked.Increment(ref _last);
        var calls = turn.Question.Contains("[[tools]]", StringComparison.Ordinal) ? 2 : turn.Question.Contains("[[tool]]", StringComparison.Ordinal) ? 1 : 0;
        var signature = mode == "adaptive" || (mode == "enabled" && turn.Said.Count == 0) ? Sign(number) : null;
        var answer = new Answered(answersAs ?? ask.Model, signature, IsShown: number % 3 != 0, turn.Said.Count < calls ? null : $"{name} says {number}");
        return ask.Streams ? Stream(answer) : Whole(answer);
    }

    /// <summary>Whether this provider signed it.</summary>
    public bool IsOwn(string signature)
    {
        var bytes = new byte[signature.Length];
        return Convert.TryFromBase64String(signature, bytes, out var length) && Encoding.UTF8.GetString(bytes, 0, length).StartsWith($"{name}:", StringComparison.Ordinal);
    }

    /// <summary>The signature or the hidden data of a block; null when it is no thinking.</summary>
    public static string? SignatureOf(JsonElement block) => block.GetProperty("type").GetString() switch
    {
        "thinking" => block.TryGetProperty("signature", out var signature) ? signature.GetString() ?? "" : "",
        "redacted_thinking" => block.GetProperty("data").GetString(),
        _ => null,
    };

    /// <summary>As long as real ones, with all that base64 has.</summary>
    private string Sign(int number) => Convert.ToBase64String([.. Encoding.UTF8.GetBytes($"{name}:{number}:"), .. Enumerable.Range(0, 400).Select(at => (byte)(at * 7))]);

    private string? FindFault(JsonElement messages)
    {
        var turns = messages.EnumerateArray().ToList();
        if (turns.Count == 0 || turns[0].GetProperty("role").GetString() != "user")
        {
            return "messages: the first message must be of the user";
        }

        for (var turn = 0; turn < turns.Count; turn++)
        {
            if (turns[turn].GetProperty("content") is not { ValueKind: JsonValueKind.Array } content)
            {
                continue;
            }

            var blocks = content.EnumerateArray().ToList();
            if (blocks.Count == 0)
            {
                return $"messages.{turn}: content must not be empty";
            }

            var foreign = blocks.FindIndex(block => SignatureOf(block) is { } signature && !IsOwn(signature));
            if (foreign >= 0)
            {
                return $"messages.{turn}.content.{foreign}: Invalid `signature` in `thinking` block";
            }
        }

        return null;
    }

    private static string? FindFaultOfThinking(JsonElement body, string? mode, OpenTurn turn)
    {
        if (mode == "enabled" && turn.FirstType is { } first and not ("thinking" or "redacted_thinking"))
        {
            return $"messages: Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block";
        }

        return mode is not ("enabled" or "adaptive") && body.TryGetProperty("context_management", out var management) && management.GetRawText().Contains("clear_thinking", StringComparison.Ordinal)
            ? "`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive"
            : null;
    }

    private static Script Stream(Answered answer)
    {
        var script = Answers.BeginStream().Send(SseEvents.MessageStart(answer.Model, Counted));
        var at = 0;
        if (answer.Signature is { } signature)
        {
            script = answer.IsShown
                ? script.Send(SseEvents.ThinkingStart()).Send(SseEvents.ThinkingDelta("Let me ")).Send(SseEvents.ThinkingDelta("see.")).Send(SseEvents.SignatureDelta(signature))
                : script.Send(SseEvents.RedactedThinkingStart(signature));
            script = script.Send(SseEvents.BlockStop());
            at++;
        }

        script = answer.Text is { } text
            ? script.Send(SseEvents.TextStart(at)).Send(SseEvents.TextDelta(text, at))
            : script.Send(SseEvents.ToolStart(Tool, at)).Send(SseEvents.ToolDelta(ToolInput, at));
        return script
            .Send(SseEvents.BlockStop(at))
            .Send(SseEvents.MessageDelta(Counted, answer.StopReason))
            .Send(SseEvents.MessageStop);
    }

    private static Script Whole(Answered answer)
    {
        var thinking = answer.Signature is not { } signature ? ""
            : answer.IsShown ? $$"""{"type":"thinking","thinking":"Let me see.","signature":{{SseEvents.Quote(signature)}}},"""
            : $$"""{"type":"redacted_thinking","data":{{SseEvents.Quote(signature)}}},""";
        var said = answer.Text is { } text ? $$"""{"type":"text","text":{{SseEvents.Quote(text)}}}""" : SseEvents.ToolBlock(Tool, ToolInput);
        return Script.Json(
            200,
            $$"""{"id":"{{Ids.Next("msg_")}}","type":"message","role":"assistant","model":{{SseEvents.Quote(answer.Model)}},"content":[{{thinking}}{{said}}],"stop_reason":"{{answer.StopReason}}","stop_sequence":null,"usage":{{Counted.ToJson(Counted.Output)}}}""",
            ("request-id", Ids.Next("req_")));
    }

    /// <param name="Signature">Null: it did not think.</param>
    /// <param name="Text">Null: it calls a tool.</param>
    private sealed record Answered(string Model, string? Signature, bool IsShown, string? Text)
    {
        public string StopReason => Text is null ? "tool_use" : "end_turn";
    }
}
