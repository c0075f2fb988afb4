using System.Text;
using System.Text.Json;
using Ccp.Refusals;
using Ccp.Routing;

namespace Ccp.Tests.Routing;

public sealed class BodyEditsTests
{
    private static readonly BodyChanges Guard = new(Model: null, StripsBillingHeader: false, IsForeign: signature => signature.StartsWith("foreign"u8));

    [Fact]
    public void The_model_s_name_is_replaced_and_nothing_else() => Assert.Equal(
        """{ "max_tokens":1, "model" : "glm-4.5-air","messages":[{"role":"user","content":"model \"claude-haiku-5-5\""}] }""",
        Apply("""{ "max_tokens":1, "model" : "claude-haiku-5-5","messages":[{"role":"user","content":"model \"claude-haiku-5-5\""}] }""", new BodyChanges("glm-4.5-air", false, null)));

    [Fact]
    public void A_model_s_name_that_needs_escapes_gets_them()
    {
        var edited = Apply("""{"model":"a"}""", new BodyChanges("b\"\\\n", false, null));
        Assert.Equal("b\"\\\n", JsonDocument.Parse(edited).RootElement.GetProperty("model").GetString());
    }

    [Theory]
    [InlineData("""{"system":[{"type":"text","text":"x-anthropic-billing-header: a"}, {"type":"text","text":"b"}]}""", """{"system":[{"type":"text","text":"b"}]}""")]
    [InlineData("""{"system":[{"type":"text","text":"b"} , {"text":"x-anthropic-billing-header: a","type":"text"} ,{"text":"c"}]}""", """{"system":[{"type":"text","text":"b"} ,{"text":"c"}]}""")]
    [InlineData("""{"system":[{"text":"x-anthropic-billing-header: a"}]}""", """{"system":[]}""")]
    [InlineData("""{"system":"x-anthropic-billing-header: a"}""", """{"system":"x-anthropic-billing-header: a"}""")]
    [InlineData("""{"system":[{"text":"speaks of x-anthropic-billing-header"}],"messages":[{"content":[{"text":"x-anthropic-billing-header: a"}]}]}""", """{"system":[{"text":"speaks of x-anthropic-billing-header"}],"messages":[{"content":[{"text":"x-anthropic-billing-header: a"}]}]}""")]
    public void The_billing_header_is_taken_out_of_system_alone(string body, string expected) =>
        Assert.Equal(expected, Apply(body, new BodyChanges(null, StripsBillingHeader: true, null)));

    [Theory]
    [InlineData("""[T,X,U]""", """[X,U]""")]
    [InlineData("""[X, T , U]""", """[X , U]""")]
    [InlineData("""[ X ,U, T ]""", """[ X ,U ]""")]
    [InlineData("""[T, T,X,T,T]""", """[X]""")]
    [InlineData("""[R,X,O]""", """[X,O]""")]
    [InlineData("""[X]""", """[X]""")]
    [InlineData("""[]""", """[]""")]
    public void Foreign_thinking_goes_with_one_comma_and_everything_around_it_stays(string blocks, string expected) =>
        Assert.Equal(Turn(expected), Apply(Turn(blocks), Guard));

    [Theory]
    [InlineData("A T B", "A B")]
    [InlineData("T A", "A")]
    [InlineData("A TR T TX", "A X")]
    [InlineData("A OT T", "A O")]
    public void A_turn_that_is_left_empty_goes_as_a_whole(string turns, string expected) =>
        Assert.Equal(Conversation(expected), Apply(Conversation(turns), Guard));

    [Fact]
    public void A_signature_is_known_through_escapes() => Assert.Equal(
        """{"messages":[{"content":[{"type":"text","text":"x"}]}]}""",
        Apply("""{"messages":[{"content":[{"signature":"\u0066oreign\/1","type":"thinking"},{"type":"text","text":"x"}]}]}""", Guard));

    [Theory]
    [InlineData(""","signature":"" """)]
    [InlineData(""","signature":null""")]
    [InlineData("")]
    public void A_block_without_a_signature_is_judged_as_one_with_an_empty_one(string signature)
    {
        var body = $$"""{"messages":[{"content":[{"type" : "thinking","thinking":"..."{{signature}}},{"type":"text","text":"x"}]}]}""";
        Assert.Equal("""{"messages":[{"content":[{"type":"text","text":"x"}]}]}""", Apply(body, Guard with { IsForeign = found => found.IsEmpty }));
        Assert.Equal(body, Apply(body, Guard));
    }

    [Theory]
    [InlineData("""{"messages":[{"content":[{"type":"tool_use","signature":"foreign-1"}]}]}""")]
    [InlineData("""{"messages":[{"content":[{"type":"tool_result","content":[{"type":"thinking","signature":"foreign-1"}]}]}]}""")]
    [InlineData("""{"messages":[{"content":[{"type":"thinking","signature":17},{"type":"thinking","signature":null},7,"text",[1]]}]}""")]
    [InlineData("""{"messages":[{"content":"foreign-1"},4,null],"other":[{"content":[{"type":"thinking","signature":"foreign-1"}]}]}""")]
    [InlineData("""{"messages":{"content":[{"type":"thinking","signature":"foreign-1"}]}}""")]
    public void What_only_looks_like_foreign_thinking_stays(string body) => Assert.Equal(body, Apply(body, Guard));

    [Fact]
    public void Whatever_is_in_a_conversation_what_is_left_is_json_and_has_no_foreign_block()
    {
        var random = new Random(20261123);
        for (var round = 0; round < 2_000; round++)
        {
            var turns = Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(4) == 0 ? "A" : new string([.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => "TRXUO"[random.Next(5)])]));
            var body = Conversation(string.Join(' ', turns), random.Next(2) == 0 ? "," : " ,\n");

            var edited = Apply(body, Guard);

            using var document = JsonDocument.Parse(edited);
            Assert.DoesNotContain("foreign", edited, StringComparison.Ordinal);
            Assert.Equal(Blocks(body).Where(block => !block.Contains("foreign", StringComparison.Ordinal)), Blocks(edited));

            // The same again changes nothing: a conversation keeps its prefix.
            Assert.Equal(edited, Apply(edited, Guard));
        }
    }

    /// <summary>
    /// Goal: whatever lane a conversation comes back to finds the prompt it knows, and goes on from there.
    /// Method: seeded conversations that grow turn by turn; what a lane is sent must begin with what it was sent the turn before.
    /// </summary>
    [Fact]
    public void A_conversation_that_goes_on_begins_with_the_bytes_it_was_sent_with_before()
    {
        const string End = """],"stream":true}""";
        var random = new Random(20261124);
        for (var round = 0; round < 500; round++)
        {
            var comma = random.Next(2) == 0 ? "," : " ,\n";
            var turns = new List<string>();
            var before = Conversation("")[..^End.Length];
            for (var turn = 0; turn < 12; turn++)
            {
                turns.Add(turn % 2 == 0 ? "A" : new string([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => "TRXUO"[random.Next(5)])]));
                var edited = Apply(Conversation(string.Join(' ', turns), comma), Guard);
                Assert.StartsWith(before, edited, StringComparison.Ordinal);
                before = edited[..^End.Length];
            }
        }
    }

    [Fact]
    public void A_body_without_thinking_is_not_taken_apart()
    {
        const int AllocatedMax = 1_000;
        var turns = string.Join(',', Enumerable.Repeat("""{"content":[{"type":"text","text":"a \"signature\" and redacted_thinking"}]}""", 1_000));
        var body = Encoding.UTF8.GetBytes($$"""{"thinking":{"type":"adaptive"},"messages":[{{turns}}]}""");
        BodyEdits.Find(body, Guard);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var found = BodyEdits.Find(body, Guard);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, AllocatedMax);
        Assert.True(found.Allows(out var splice, out _) && splice.IsEmpty);
    }

    [Fact]
    public void Thinking_that_is_not_shown_is_found_where_nothing_else_is_signed() => Assert.Equal(
        """{"messages":[{"content":[{"type":"text","text":"x"}]}]}""",
        Apply("""{"messages":[{"content":[{"data":"foreign-2","type":"redacted_thinking"},{"type":"text","text":"x"}]}]}""", Guard));

    [Theory]
    [InlineData("""{"messages":[{"role":"\ud800","content":[T]}]}""")]
    [InlineData("""{"messages":[{"role":"assistant","content":[T,{"type":"thin\ud800king"}]}]}""")]
    [InlineData("""{"messages":[{"role":"assistant","content":[{"type":"thinking","signature":"\udc00"}]}]}""")]
    [InlineData("""{"messages":[{"role":"assistant","content":[T,{"type":"redacted_thinking","data":"\ud800x"}]}]}""")]
    public void A_word_that_is_no_text_where_it_would_decide_is_refused(string body)
    {
        Assert.False(BodyEdits.Find(Encoding.UTF8.GetBytes(body.Replace("T", Spelled("T"), StringComparison.Ordinal)), Guard).Allows(out _, out var refusal));
        Assert.Equal(RefusalCode.BodyMalformed, refusal.Code);
    }

    [Fact]
    public void Half_a_surrogate_in_what_was_said_is_the_provider_s_to_judge()
    {
        var body = Conversation("").Replace("[]", """[{"role":"user","content":[T,{"type":"text","text":"\ud800"}]}]""", StringComparison.Ordinal);
        Assert.Equal(body.Replace("T,", "", StringComparison.Ordinal), Apply(body.Replace("T", Spelled("T"), StringComparison.Ordinal), Guard));
    }

    private static IEnumerable<string> Blocks(string body) =>
        [.. JsonDocument.Parse(body).RootElement.GetProperty("messages").EnumerateArray().SelectMany(Content).Select(block => block.GetRawText())];

    private static IEnumerable<JsonElement> Content(JsonElement turn) =>
        turn.GetProperty("content") is { ValueKind: JsonValueKind.Array } blocks ? blocks.EnumerateArray() : [turn];

    private static string Apply(string body, BodyChanges changes)
    {
        Assert.True(BodyEdits.Find(Encoding.UTF8.GetBytes(body), changes).Allows(out var splice, out _));
        return Encoding.UTF8.GetString(splice.Apply(Encoding.UTF8.GetBytes(body)));
    }

    private static string Turn(string blocks) => $$"""{"model":"m","messages":[{"role":"assistant", "content": {{Spelled(blocks)}} }],"stream":true}""";

    /// <summary>A word for a turn, a letter for a block: T and R are foreign, O is thinking of the lane's own. A and B are what a person said.</summary>
    private static string Conversation(string turns, string comma = ",") =>
        $$"""{"messages":[{{string.Join(comma, turns.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(turn => turn is "A" or "B" ? Said(turn) : Answered(turn, comma)))}}],"stream":true}""";

    private static string Said(string text) => $$"""{"role":"user","content":"{{text}}"}""";

    private static string Answered(string blocks, string comma) => $$"""{"role":"assistant","content":[{{Spelled(string.Join(comma, blocks.ToCharArray()))}}]}""";

    private static string Spelled(string letters) => string.Concat(letters.Select(letter => letter switch
    {
        'T' => """{"type":"thinking","thinking":"...","signature":"foreign-1"}""",
        'R' => """{"type":"redacted_thinking","data":"foreign-2"}""",
        'O' => """{"type":"thinking","thinking":"...","signature":"own-1"}""",
        'X' => """{"type":"text","text":"x, [y] {z}"}""",
        'U' => """{"type":"tool_use","id":"t1","input":{"a":[1,2,{"b":"]"}]}}""",
        _ => letter.ToString(),
    }));
}
