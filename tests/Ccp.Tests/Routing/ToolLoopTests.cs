using System.Text;
using System.Text.Json;
using Ccp.Routing;

namespace Ccp.Tests.Routing;

/// <summary>What is sent when the thinking that begins a turn is another lane's, and the turn still goes on.</summary>
public sealed class ToolLoopTests
{
    private static readonly BodyChanges Guard = new(Model: null, StripsBillingHeader: false, IsForeign: signature => signature.StartsWith("foreign"u8));

    [Theory]
    [InlineData("A TU L")]
    [InlineData("A RU L")]
    [InlineData("A TXU L")]
    [InlineData("A TU L U L")]
    [InlineData("A TU L OU L")]
    [InlineData("A OX A TU L")]
    [InlineData("A T U L")]
    [InlineData("A TU LX")]
    [InlineData("A TU L A")]
    public void Thinking_with_a_budget_is_turned_off_while_a_turn_goes_on_that_lost_what_it_began_with(string turns) => Assert.False(IsThinkingLeft(turns, "enabled"));

    [Theory]
    [InlineData("A OU L")]
    [InlineData("A U L")]
    [InlineData("A TOU L")]
    [InlineData("A OU L TU L")]
    [InlineData("A TX A")]
    [InlineData("A TU L X A")]
    [InlineData("A TU L X A OU L")]
    [InlineData("A TU L X A U L")]
    [InlineData("A TU")]
    [InlineData("A T A")]
    public void It_stays_where_the_turn_has_ended_or_begins_as_it_did(string turns) => Assert.True(IsThinkingLeft(turns, "enabled"));

    [Theory]
    [InlineData("adaptive")]
    [InlineData("disabled")]
    [InlineData("between_tools")]
    public void It_stays_where_no_turn_need_begin_with_thinking(string type) => Assert.True(IsThinkingLeft("A TU L", type));

    [Theory]
    [InlineData("""{"thinking":{"type":"enabled"}, "messages":M}""", """{"messages":N}""")]
    [InlineData("""{"messages":M ,"thinking": { "budget_tokens":1024,"type" : "enabled" } }""", """{"messages":N }""")]
    [InlineData("""{"a":1,"thinking":{"type":"enabled"},"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},"messages":M,"b":2}""", """{"a":1,"messages":N,"b":2}""")]
    [InlineData("""{"context_management":{"edits":[{"keep":"all","type":"clear_thinking_20251015"}, {"type":"clear_tool_uses_20250919"}]},"messages":M,"thinking":{"type":"enabled"}}""", """{"context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]},"messages":N}""")]
    [InlineData("""{"context_management":null,"messages":M,"thinking":{"type":"enabled"}}""", """{"context_management":null,"messages":N}""")]
    public void With_the_setting_goes_what_is_an_error_without_it_and_nothing_else(string body, string expected) =>
        Assert.Equal(With(expected, "A U L"), Apply(With(body, "A TU L")));

    [Theory]
    [InlineData("""{"thinking":null,"messages":M}""")]
    [InlineData("""{"thinking":[{"type":"enabled"}],"messages":M}""")]
    [InlineData("""{"messages":M,"other":{"thinking":{"type":"enabled"}},"context_management":{"edits":[{"type":"clear_thinking_20251015"}]}}""")]
    public void What_only_looks_like_the_setting_stays(string body) => Assert.Equal(With(body, "A U L"), Apply(With(body, "A TU L")));

    private static bool IsThinkingLeft(string turns, string type)
    {
        using var edited = JsonDocument.Parse(Apply(With($$$"""{"messages":M,"thinking":{"type":"{{{type}}}","budget_tokens":1024}}""", turns)));
        Assert.DoesNotContain("foreign", edited.RootElement.GetRawText(), StringComparison.Ordinal);
        return edited.RootElement.TryGetProperty("thinking", out _);
    }

    private static string Apply(string body)
    {
        Assert.True(BodyEdits.Find(Encoding.UTF8.GetBytes(body), Guard).Allows(out var splice, out _));
        return Encoding.UTF8.GetString(splice.Apply(Encoding.UTF8.GetBytes(body)));
    }

    /// <summary>Puts the conversation where M or N stands.</summary>
    private static string With(string body, string turns) => body.Replace(":M", $":{Conversation(turns)}", StringComparison.Ordinal).Replace(":N", $":{Conversation(turns)}", StringComparison.Ordinal);

    /// <summary>A word for a message, a letter for a block: T and R are foreign thinking, O the lane's own, U a call of a tool, L what it said. A is a person's.</summary>
    private static string Conversation(string turns) => $"[{string.Join(',', turns.Split(' ').Select(Message))}]";

    private static string Message(string blocks) => blocks[0] switch
    {
        'A' => """{"role":"user","content":"question"}""",
        'L' => $$"""{"content":[{{Blocks(blocks)}}],"role":"user"}""",
        _ => $$"""{"role":"assistant","content":[{{Blocks(blocks)}}]}""",
    };

    private static string Blocks(string letters) => string.Join(',', letters.Select(letter => letter switch
    {
        'T' => """{"type":"thinking","thinking":"...","signature":"foreign-1"}""",
        'R' => """{"type":"redacted_thinking","data":"foreign-2"}""",
        'O' => """{"type":"thinking","thinking":"...","signature":"own-1"}""",
        'U' => """{"type":"tool_use","id":"t1","name":"a","input":{"type":"thinking"}}""",
        'L' => """{"type":"tool_result","tool_use_id":"t1","content":"done"}""",
        _ => """{"type":"text","text":"x"}""",
    }));
}
