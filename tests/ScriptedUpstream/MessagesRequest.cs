using System.Text.Json;

namespace Ccp.ScriptedUpstream;

/// <summary>What the answers need to know of a Messages request.</summary>
/// <param name="LastUserText">
/// The last text block of the last user message, which is what the person typed: the client puts its reminders before it.
/// Empty when that message answers a tool.
/// </param>
/// <param name="LastToolResult">What the tool said, null when the last user message does not answer one.</param>
/// <param name="WantsJson">The client asks for an answer by a JSON schema, as it does for a session's title.</param>
public sealed record MessagesRequest(string Model, bool Streams, string LastUserText, string? LastToolResult, bool WantsJson)
{
    /// <returns>Null when the body is not a JSON object with a list of messages.</returns>
    public static MessagesRequest? Read(RecordedRequest request)
    {
        JsonElement body;
        try
        {
            body = request.Json();
        }
        catch (JsonException)
        {
            return null;
        }

        if (body.ValueKind != JsonValueKind.Object
            || !body.TryGetProperty("messages", out var messages)
            || messages.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var blocks = LastUserBlocks(messages);
        var result = blocks.LastOrDefault(block => TypeOf(block) == "tool_result");
        var answersTool = result.ValueKind == JsonValueKind.Object;
        return new(
            body.TryGetProperty("model", out var model) ? model.GetString() ?? "" : "",
            body.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True,
            answersTool ? "" : blocks.LastOrDefault(IsTyped) is { ValueKind: JsonValueKind.Object } text ? TextOf(text) : "",
            answersTool ? ToolText(result) : null,
            body.TryGetProperty("output_config", out var output) && output.TryGetProperty("format", out _));
    }

    private static List<JsonElement> LastUserBlocks(JsonElement messages)
    {
        // The list ends with items of role "system" on the first turn; the person's words stand before them.
        var last = messages.EnumerateArray().LastOrDefault(message => message.GetProperty("role").GetString() == "user");
        return last.ValueKind == JsonValueKind.Object ? Blocks(last.GetProperty("content")) : [];
    }

    /// <summary>Content is a list of blocks, or a string for one text block.</summary>
    private static List<JsonElement> Blocks(JsonElement content) => content.ValueKind == JsonValueKind.String
        ? [JsonSerializer.SerializeToElement(new { type = "text", text = content.GetString() })]
        : [.. content.EnumerateArray()];

    private static string ToolText(JsonElement result) => result.TryGetProperty("content", out var content)
        ? string.Concat(Blocks(content).Where(block => TypeOf(block) == "text").Select(TextOf))
        : "";

    private static bool IsTyped(JsonElement block) =>
        TypeOf(block) == "text" && !TextOf(block).StartsWith("<system-reminder>", StringComparison.Ordinal);

    private static string? TypeOf(JsonElement block) => block.GetProperty("type").GetString();

    private static string TextOf(JsonElement block) => block.GetProperty("text").GetString() ?? "";
}
