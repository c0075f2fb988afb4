using System.Text;
using System.Text.Json;

namespace Ccp.ScriptedUpstream;

/// <summary>A provider that signs what it thinks, and refuses thinking that it has not signed itself, as providers do.</summary>
/// <remarks>
/// Every answer thinks (each third one without showing it), then says <c>NAME says N</c>. What is no call for a model, and a session's title, is answered as
/// <see cref="ClaudeCodeAnswers"/> does. It also refuses what the Messages API does: no messages, a first one that is not the user's, a turn without content.
/// </remarks>
/// <param name="answersAs">The model that it says has answered; null: the one that was asked.</param>
public sealed class SigningProvider(string name, string? answersAs = null)
{
    public static readonly Usage Counted = new(Input: 1_000, Output: 100);

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

        if (FindFault(request.Json().GetProperty("messages")) is { } fault)
        {
            lock (_lock)
            {
                _complaints.Add(fault);
            }

            return Answers.Error(400, "invalid_request_error", fault);
        }

        var number = Interlocked.Increment(ref _last);
        var (model, signature, text) = (answersAs ?? ask.Model, Sign(number), $"{name} says {number}");
        return ask.Streams ? Stream(model, signature, text, isShown: number % 3 != 0) : Whole(model, signature, text, isShown: number % 3 != 0);
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
        "thinking" => block.GetProperty("signature").GetString(),
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

    private static Script Stream(string model, string signature, string text, bool isShown)
    {
        var script = Answers.BeginStream().Send(SseEvents.MessageStart(model, Counted));
        script = isShown
            ? script.Send(SseEvents.ThinkingStart()).Send(SseEvents.ThinkingDelta("Let me ")).Send(SseEvents.ThinkingDelta("see.")).Send(SseEvents.SignatureDelta(signature))
            : script.Send(SseEvents.RedactedThinkingStart(signature));
        return script
            .Send(SseEvents.BlockStop())
            .Send(SseEvents.TextStart(1))
            .Send(SseEvents.TextDelta(text, 1))
            .Send(SseEvents.BlockStop(1))
            .Send(SseEvents.MessageDelta(Counted))
            .Send(SseEvents.MessageStop);
    }

    private static Script Whole(string model, string signature, string text, bool isShown)
    {
        var thinking = isShown
            ? $$"""{"type":"thinking","thinking":"Let me see.","signature":{{SseEvents.Quote(signature)}}}"""
            : $$"""{"type":"redacted_thinking","data":{{SseEvents.Quote(signature)}}}""";
        return Script.Json(
            200,
            $$"""{"id":"{{Ids.Next("msg_")}}","type":"message","role":"assistant","model":{{SseEvents.Quote(model)}},"content":[{{thinking}},{"type":"text","text":{{SseEvents.Quote(text)}}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{Counted.ToJson(Counted.Output)}}}""",
            ("request-id", Ids.Next("req_")));
    }
}
