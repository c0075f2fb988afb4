using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ccp.ScriptedUpstream;

/// <summary>The events of a Messages stream, each as its text with the empty line that ends it.</summary>
public static class SseEvents
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Ping => Event("ping", """{"type":"ping"}""");

    public static string MessageStop => Event("message_stop", """{"type":"message_stop"}""");

    /// <remarks>The one output token is what Anthropic reports before anything is written; the true count comes in the delta.</remarks>
    public static string MessageStart(string model, Usage usage, string? id = null)
    {
        var message = $$"""{"id":{{Quote(id ?? Ids.Next("msg_"))}},"type":"message","role":"assistant","model":{{Quote(model)}},"content":[],"stop_reason":null,"stop_sequence":null,"usage":{{usage.ToJson(output: 1)}}}""";
        return Event("message_start", $$"""{"type":"message_start","message":{{message}}}""");
    }

    public static string TextStart(int index = 0) => Start(index, """{"type":"text","text":""}""");

    public static string TextDelta(string text, int index = 0) => Delta(index, $$"""{"type":"text_delta","text":{{Quote(text)}}}""");

    public static string ThinkingStart(int index = 0) => Start(index, """{"type":"thinking","thinking":"","signature":""}""");

    public static string ThinkingDelta(string text, int index = 0) => Delta(index, $$"""{"type":"thinking_delta","thinking":{{Quote(text)}}}""");

    public static string SignatureDelta(string signature, int index = 0) => Delta(index, $$"""{"type":"signature_delta","signature":{{Quote(signature)}}}""");

    /// <summary>Thinking that is not shown comes whole.</summary>
    public static string RedactedThinkingStart(string data, int index = 0) => Start(index, $$"""{"type":"redacted_thinking","data":{{Quote(data)}}}""");

    public static string ToolStart(string tool, int index, string? id = null) =>
        Start(index, ToolBlock(tool, "{}", id));

    public static string ToolDelta(string partialJson, int index) =>
        Delta(index, $$"""{"type":"input_json_delta","partial_json":{{Quote(partialJson)}}}""");

    public static string BlockStop(int index = 0) =>
        Event("content_block_stop", $$"""{"type":"content_block_stop","index":{{index}}}""");

    public static string MessageDelta(Usage usage, string stopReason = "end_turn") => Event(
        "message_delta",
        $$"""{"type":"message_delta","delta":{"stop_reason":{{Quote(stopReason)}},"stop_sequence":null},"usage":{{usage.ToDeltaJson()}}}""");

    public static string Error(string type, string message) => Event("error", ErrorJson(type, message));

    /// <summary>Any event at all, also one no client knows.</summary>
    public static string Event(string name, string data) => $"event: {name}\ndata: {data}\n\n";

    internal static string ToolBlock(string tool, string input, string? id = null) =>
        $$"""{"type":"tool_use","id":{{Quote(id ?? Ids.Next("toolu_"))}},"name":{{Quote(tool)}},"input":{{input}}}""";

    internal static string ErrorJson(string type, string message)
    {
        var error = $$"""{"type":{{Quote(type)}},"message":{{Quote(message)}}}""";
        return $$"""{"type":"error","error":{{error}}}""";
    }

    internal static string Quote(string text) => JsonSerializer.Serialize(text, Plain);

    private static string Start(int index, string block) =>
        Event("content_block_start", $$"""{"type":"content_block_start","index":{{index}},"content_block":{{block}}}""");

    private static string Delta(int index, string delta) =>
        Event("content_block_delta", $$"""{"type":"content_block_delta","index":{{index}},"delta":{{delta}}}""");
}
