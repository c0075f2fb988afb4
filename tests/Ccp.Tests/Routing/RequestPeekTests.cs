using System.Text;
using System.Text.Json.Nodes;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Tests.Configuration;

namespace Ccp.Tests.Routing;

public sealed class RequestPeekTests
{
    private static readonly string? Captured = FindCaptured();

    [Fact]
    public void The_requests_that_Claude_Code_was_seen_to_send_are_read_right()
    {
        Assert.SkipWhen(Captured is null, "The captured requests (../shared/data/claude-code) are not on this machine.");
        var read = 0;
        foreach (var file in Directory.GetFiles(Captured, "*.json"))
        {
            if (JsonNode.Parse(File.ReadAllText(file)) is not JsonObject { } capture || capture["body"] is not JsonObject body)
            {
                continue;
            }

            var text = body.ToJsonString();
            var facts = Facts(text);
            Assert.Equal((string?)body["model"], facts.Model);
            Assert.Equal((bool?)body["stream"] ?? false, facts.IsStream);
            Assert.Equal((long?)body["max_tokens"], facts.MaxTokens);
            var userId = (string?)body["metadata"]?["user_id"];
            Assert.Equal(userId?.StartsWith('{') == true ? (string?)JsonNode.Parse(userId)!["session_id"] : null, facts.SessionId);
            Assert.InRange(facts.EstimatedPromptTokens, 1, text.Length);
            read++;
        }

        Assert.True(read > 20, $"Only {read} captured requests were found.");
    }

    [Theory]
    [InlineData("""{"model":"a"}""", "a", false, null)]
    [InlineData("""{"stream":true,"max_tokens":0,"model":"a"}""", "a", true, 0L)]
    [InlineData("""  {"model" : "a" , "max_tokens":128000}  """, "a", false, 128_000L)]
    [InlineData("""{"mod\u0065l":"\u0061","str\u0065am":true}""", "a", true, null)]
    [InlineData("""{"messages":[{"model":"x","stream":true,"max_tokens":5}],"model":"a","metadata":{"model":"y"}}""", "a", false, null)]
    [InlineData("""{"Model":"x","model":"a","STREAM":true}""", "a", false, null)]
    [InlineData("""{"model":"a","messages":null,"later":{"unknown":[[],{},1.5e300]}}""", "a", false, null)]
    public void What_is_needed_is_read_wherever_it_stands(string body, string model, bool isStream, long? maxTokens)
    {
        var facts = Facts(body);
        Assert.Equal((model, isStream, maxTokens), (facts.Model, facts.IsStream, facts.MaxTokens));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"model\"")]
    [InlineData("{}")]
    [InlineData("""{"model":""}""")]
    [InlineData("""{"model":"  "}""")]
    [InlineData("""{"model":null}""")]
    [InlineData("""{"model":5}""")]
    [InlineData("""{"model":{"model":"a"}}""")]
    [InlineData("""{"model":"a","stream":"true"}""")]
    [InlineData("""{"model":"a","stream":1}""")]
    [InlineData("""{"model":"a","max_tokens":"5"}""")]
    [InlineData("""{"model":"a","max_tokens":-1}""")]
    [InlineData("""{"model":"a","max_tokens":1.5}""")]
    [InlineData("""{"model":"a","max_tokens":99999999999999999999}""")]
    [InlineData("""{"model":"a","model":"a"}""")]
    [InlineData("""{"model":"a","model":"b"}""")]
    [InlineData("""{"model":"a","mod\u0065l":"b"}""")]
    [InlineData("""{"mod\u0065l":"a","\u006dodel":"b"}""")]
    [InlineData("""{"model":"a","stream":false,"stream":true}""")]
    [InlineData("""{"model":"a","stream":false,"stre\u0061m":true}""")]
    [InlineData("""{"model":"a","max_tokens":1,"max_tokens":2}""")]
    [InlineData("""{"model":"a","max_tokens":1,"max\u005ftokens":2}""")]
    [InlineData("""{"model":"a"} {"model":"b"}""")]
    [InlineData("""{"model":"a"}x""")]
    [InlineData("""{"model":"a",}""")]
    [InlineData("""{"model":"a" /* c */}""")]
    [InlineData("""{"model":"\ud800"}""")]
    [InlineData("""{"model":"a""")]
    public void What_could_be_read_two_ways_or_not_at_all_is_refused(string body)
    {
        Assert.Equal(RefusalCode.BodyMalformed, Refused(Encoding.UTF8.GetBytes(body)));
    }

    [Theory]
    [InlineData("", null, null)]
    [InlineData(""" "speed":"fast","inference_geo":"us", """, "us", "fast")]
    [InlineData(""" "spe\u0065d":"f\u0061st", """, null, "fast")]
    [InlineData(""" "speed":"standard","inference_geo":"global", """, null, null)]
    [InlineData(""" "speed":null,"inference_geo":["us"], """, null, null)]
    [InlineData(""" "speed":"fast","speed":"standard", """, null, "fast")]
    [InlineData(""" "speed":"standard","speed":"fast", """, null, "fast")]
    [InlineData(""" "metadata":{"speed":"fast"},"later":{"inference_geo":"us"}, """, null, null)]
    public void What_is_asked_for_that_has_a_price_of_its_own_is_read(string members, string? geo, string? speed)
    {
        Assert.Equal(new PriceTerms(geo, speed), Facts($$"""{{{members}}"model":"a"}""").Asked);
    }

    [Fact]
    public void A_byte_order_mark_and_broken_text_are_refused()
    {
        Assert.Equal(RefusalCode.BodyMalformed, Refused([0xEF, 0xBB, 0xBF, .. "{\"model\":\"a\"}"u8]));
        Assert.Equal(RefusalCode.BodyMalformed, Refused([.. "{\"model\":\""u8, 0xFF, .. "\"}"u8]));
    }

    [Fact]
    public void Nesting_is_followed_far_and_not_without_end()
    {
        string Nested(int depth) => $$"""{"model":"a","x":{{new string('[', depth)}}{{new string(']', depth)}}}""";
        Assert.Equal("a", Facts(Nested(500)).Model);
        Assert.Equal(RefusalCode.BodyMalformed, Refused(Encoding.UTF8.GetBytes(Nested(100_000))));
    }

    [Fact]
    public void A_name_that_is_nobodys_is_not_carried_along()
    {
        Assert.Equal(RefusalCode.BodyMalformed, Refused(Encoding.UTF8.GetBytes($$"""{"model":"{{new string('m', 300)}}"}""")));
        Assert.Null(Facts(WithUser($$"""{"session_id":"{{new string('s', 300)}}"}""")).SessionId);
    }

    [Theory]
    [InlineData("""{"device_id":"d","session_id":"abc"}""", "abc")]
    [InlineData("""{"session_id":"abc","session":{"session_id":"x"}}""", "abc")]
    [InlineData("""{"session_id":""}""", null)]
    [InlineData("""{"session_id":5}""", null)]
    [InlineData("""{"session_id":"\ud800"}""", null)]
    [InlineData("{broken", null)]
    [InlineData("user_1_session_2", null)]
    [InlineData("", null)]
    public void The_session_is_found_in_the_metadata_and_a_strange_one_does_no_harm(string userId, string? session)
    {
        Assert.Equal(session, Facts(WithUser(userId)).SessionId);
    }

    [Fact]
    public void Pictures_count_as_pictures_and_not_as_text()
    {
        var picture = new string('A', 400_000);
        var one = Facts($$$"""{"model":"a","messages":[{"content":[{"type":"image","source":{"type":"base64","data":"{{{picture}}}"}}]}]}""");
        Assert.InRange(one.EstimatedPromptTokens, 1_600, 10_000);

        var text = Facts($$"""{"model":"a","messages":[{"content":"{{picture}}"}]}""");
        Assert.InRange(text.EstimatedPromptTokens, 125_000, 126_000);

        // Short ones are text: a field of that name is no way to hide a prompt.
        var many = string.Join(',', Enumerable.Repeat($$"""{"data":"{{new string('x', 200)}}"}""", 1_000));
        Assert.True(Facts($$"""{"model":"a","messages":[{{many}}]}""").EstimatedPromptTokens > 60_000);
        Assert.Equal(1_000_000, Facts($$"""{"model":"a","messages":"{{new string('x', 4_000_000)}}"}""").EstimatedPromptTokens);
    }

    [Theory]
    // A picture, wherever it may stand and in whatever order.
    [InlineData("""{"type":"image","source":{"type":"base64","media_type":"image/png","data":"DATA"}}""", true)]
    [InlineData("""{"source":{"data":"DATA","type":"b\u0061se64"},"type":"image"}""", true)]
    [InlineData("""{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"DATA"}}""", true)]
    [InlineData("""{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","data":"DATA"}}]}""", true)]
    [InlineData("""{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"base64","data":"DATA"}}]}}""", true)]
    // Text that looks like one.
    [InlineData("""{"type":"document","source":{"type":"text","media_type":"text/plain","data":"DATA"}}""", false)]
    [InlineData("""{"type":"document","source":{"data":"DATA","type":"text"}}""", false)]
    [InlineData("""{"type":"document","source":{"data":"DATA"}}""", false)]
    [InlineData("""{"type":"document","source":{"type":"base64","data":"DATA","type":"text"}}""", false)]
    [InlineData("""{"type":"document","source":{"type":"text","data":"DATA","type":"base64"}}""", false)]
    [InlineData("""{"type":"document","source":{"type":"base64","data":"","content":[{"source":{"type":"text"}}],"x":{"data":"DATA"}}}""", false)]
    [InlineData("""{"type":"search_result","source":"https://a.example","content":[]},{"type":"tool_use","input":{"data":"DATA"}}""", false)]
    [InlineData("""{"type":"image","source":{"type":"base64","data":""}},{"type":"tool_use","input":{"data":"DATA"}}""", false)]
    [InlineData("""{"type":"tool_use","input":{"source":{"type":"base64","data":"DATA"}}}""", false)]
    [InlineData("""{"type":"tool_use","input":{"content":[{"type":"image","source":{"type":"base64","data":"DATA"}}]}}""", false)]
    [InlineData("""{"type":"text","text":{"source":{"type":"base64","data":"DATA"}}}""", false)]
    public void Only_what_the_provider_takes_for_a_picture_counts_as_one(string content, bool isPicture)
    {
        var data = new string('A', 320_000);
        var facts = Facts($$"""{"model":"a","messages":[{"content":[{{content.Replace("DATA", data, StringComparison.Ordinal)}}]}]}""");
        Assert.InRange(facts.EstimatedPromptTokens, isPicture ? 6_400 : 100_000, isPicture ? 6_500 : 100_100);
    }

    [Theory]
    [InlineData("tools", """[{"input_schema":{"source":{"type":"base64","data":"DATA"}}}]""")]
    [InlineData("system", """[{"source":{"type":"base64","data":"DATA"}}]""")]
    [InlineData("source", """{"type":"base64","data":"DATA"}""")]
    public void There_are_no_pictures_outside_the_messages(string member, string value)
    {
        var facts = Facts($$"""{"model":"a","{{member}}":{{value.Replace("DATA", new string('A', 320_000), StringComparison.Ordinal)}}}""");
        Assert.InRange(facts.EstimatedPromptTokens, 100_000, 100_100);
    }

    [Theory]
    [InlineData("""{"type":"url","url":"https://a.example/a.png"}""")]
    [InlineData("""{"type":"file","file_id":"file_1"}""")]
    public void What_is_only_named_counts_as_one_picture(string source)
    {
        var two = Facts($$"""{"model":"a","messages":[{"content":[{"type":"image","source":{{source}}},{"type":"document","source":{{source}}}]}]}""");
        Assert.InRange(two.EstimatedPromptTokens, 3_200, 3_300);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_arrives_is_read_or_refused_and_nothing_is_thrown(int seed)
    {
        var random = new Random(seed);
        var good = Encoding.UTF8.GetBytes("""{"model":"claude-opus-5-5","stream":true,"max_tokens":100,"metadata":{"user_id":"{\"session_id\":\"s\"}"},"messages":[{"role":"user","content":[{"type":"image","source":{"data":"AAAA"}},"\u00e9\ud83d\ude00"]}]}""");
        for (var round = 0; round < 20_000; round++)
        {
            var body = good.ToArray();
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                body[random.Next(body.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : good[random.Next(good.Length)];
            }

            var length = random.Next(4) == 0 ? random.Next(body.Length) : body.Length;
            var isRead = RequestPeek.Read(body.AsSpan(0, length)).Allows(out var facts, out var refusal);
            Assert.True(isRead ? !string.IsNullOrWhiteSpace(facts!.Model) : refusal!.Code == RefusalCode.BodyMalformed);
        }
    }

    private static string WithUser(string userId) => $$"""{"metadata":{"user_id":{{JsonValue.Create(userId)!.ToJsonString()}}},"model":"a"}""";

    private static RequestFacts Facts(string body)
    {
        Assert.True(RequestPeek.Read(Encoding.UTF8.GetBytes(body)).Allows(out var facts, out var refusal), refusal?.Message);
        return facts;
    }

    private static RefusalCode? Refused(ReadOnlySpan<byte> body) => RequestPeek.Read(body).Allows(out _, out var refusal) ? null : refusal.Code;

    private static string? FindCaptured()
    {
        for (var folder = new DirectoryInfo(Repository.Root); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "shared", "data", "claude-code");
            if (Directory.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
