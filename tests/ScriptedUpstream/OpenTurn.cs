using System.Text.Json;

namespace Ccp.ScriptedUpstream;

/// <summary>The turn that an answer goes on with.</summary>
/// <param name="Question">What it answers, as JSON.</param>
/// <param name="Said">What the model has said in it so far, each followed by what a tool said; empty when the person spoke last.</param>
internal sealed record OpenTurn(string Question, IReadOnlyList<JsonElement> Said)
{
    public static OpenTurn Of(JsonElement messages)
    {
        var said = new List<JsonElement>();
        foreach (var message in messages.EnumerateArray().Reverse())
        {
            var role = message.GetProperty("role").GetString();
            if (role == "assistant")
            {
                said.Insert(0, message);
            }
            else if (role == "user" && !Blocks(message).Any(block => block.GetProperty("type").GetString() == "tool_result"))
            {
                return new OpenTurn(message.GetRawText(), said);
            }
        }

        return new OpenTurn("", said);
    }

    /// <summary>The type of the block that it began with; null when nothing has been said.</summary>
    public string? FirstType => Said.SelectMany(Blocks).Select(block => block.GetProperty("type").GetString()).FirstOrDefault();

    private static IEnumerable<JsonElement> Blocks(JsonElement message) => message.GetProperty("content") is { ValueKind: JsonValueKind.Array } content ? content.EnumerateArray() : [];
}
