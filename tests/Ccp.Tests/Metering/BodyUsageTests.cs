using System.Globalization;
using System.Text;
using Ccp.Metering;
using Ccp.Pricing;
using static Ccp.Tests.Metering.Metered;

namespace Ccp.Tests.Metering;

public sealed class BodyUsageTests
{
    private static readonly string[] Models = ["claude-haiku-5-5", "claude-opus-5", "claude-sonnet-4-5-20250929", "glm-4.6", "unheard-of"];

    [Fact]
    public void A_message_is_read_from_its_usage()
    {
        var reading = Body("""
            {"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-5","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn",
            "usage":{"input_tokens":3,"cache_creation_input_tokens":9,"cache_creation":{"ephemeral_1h_input_tokens":4},"cache_read_input_tokens":7,
            "output_tokens":5,"server_tool_use":{"web_search_requests":2},"service_tier":"batch","inference_geo":"us","speed":"fast"}}
            """);

        Assert.Equal(
            Line(new MeterReading(new MeteredUsage(new(3, 5, 4, 7, 5), [], 2, "batch", "us", "fast"), ReadingQuality.Exact, "claude-opus-5", true)),
            Line(reading));
    }

    [Fact]
    public void Text_that_looks_like_usage_is_not_billed()
    {
        var reading = Body("""
            {"type":"message","content":[{"type":"text","text":"\"usage\":{\"output_tokens\":99}","usage":{"output_tokens":98}}],
            "usage":{"input_tokens":1,"output_tokens":2},"container":{"usage":{"output_tokens":97}}}
            """);

        Assert.Equal(new TokenUsage(1, 0, 0, 0, 2), reading.Usage.Tokens);
    }

    [Theory]
    [InlineData("""{"type":"error","error":{"type":"overloaded_error","message":"x"},"usage":{"output_tokens":1}}""", "overloaded_error")]
    [InlineData("""{"input_tokens":14}""", null)]
    [InlineData("<html>", null)]
    [InlineData("[]", null)]
    [InlineData("", null)]
    [InlineData("""{"content":[{"text":"xxxxxxxxxxxxxxxxxxxxxxxxx""", null)]
    public void What_is_no_message_costs_nothing(string json, string? error)
    {
        var reading = Body(json);

        Assert.False(reading.HasStarted);
        Assert.Equal(error, reading.ErrorType);
        Assert.Equal(MeteredUsage.Nothing, reading.Usage);
    }

    [Fact]
    public void A_message_without_usage_is_estimated_from_what_the_model_wrote()
    {
        var reading = Body("""
            {"type":"message","content":[{"type":"thinking","thinking":"0123456789","signature":"zzzzzzzzzzzzzzzzzz"},
            {"type":"tool_use","name":"zzzzz","input":{"a":1}},{"type":"text","text":"\u20ac\u20ac\u20ac\u20ac\u20ac"}]}
            """);

        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
        Assert.Equal(new TokenUsage(0, 0, 0, 0, 10), reading.Usage.Tokens);
    }

    [Fact]
    public void A_message_with_content_and_nothing_but_zeros_is_estimated_too()
    {
        var reading = Body("""{"type":"message","usage":{"input_tokens":0,"output_tokens":0},"content":[{"type":"text","text":"0123456789abcdef"}]}""");

        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
        Assert.Equal(5, reading.Usage.Tokens.Output);
    }

    [Fact]
    public void A_message_that_breaks_off_is_estimated_from_the_text_that_came()
    {
        var reading = Body("""{"type":"message","model":"claude-opus-5","content":[{"type":"text","text":""" + "\"" + new string('x', 320));

        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
        Assert.Equal("claude-opus-5", reading.AnsweredModel);
        Assert.InRange(reading.Usage.Tokens.Output, 100, 104);
    }

    [Fact]
    public void A_message_that_breaks_off_after_its_usage_keeps_the_numbers_but_not_their_exactness()
    {
        var reading = Body("""{"type":"message","content":[],"usage":{"input_tokens":3,"output_tokens":5},"stop""");

        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
        Assert.Equal(new TokenUsage(3, 0, 0, 0, 5), reading.Usage.Tokens);
    }

    [Fact]
    public void A_deep_tool_input_does_not_hide_the_usage()
    {
        var deep = new string('[', 300) + new string(']', 300);
        var reading = Body($$$"""{"type":"message","content":[{"type":"tool_use","input":{"a":{{{deep}}}}}],"usage":{"input_tokens":3,"output_tokens":5}}""");

        Assert.Equal(ReadingQuality.Exact, reading.Quality);
    }

    /// <summary>
    /// Goal: the same numbers as a stream or as one document cost the same.
    /// Method: seeded usages, with and without splits, iterations and modifiers; as a document, as a stream that starts with part of the truth and
    /// ends with all of it, and as one that starts with zeros; priced on every kind of row.
    /// </summary>
    [Fact]
    public void The_same_numbers_cost_the_same_as_a_stream_or_as_one_document()
    {
        var random = new Random(3);
        var admitted = new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
        for (var round = 0; round < 5_000; round++)
        {
            var model = Models[random.Next(Models.Length)];
            var usage = RandomUsage(random);
            var text = new string('x', random.Next(50));

            var body = Body($$$"""{"type":"message","model":"{{{model}}}","content":[{"type":"text","text":"{{{text}}}"}],"usage":{{{usage}}}}""");
            var start = random.Next(2) == 0 ? """{"input_tokens":0,"output_tokens":0}""" : """{"input_tokens":2,"output_tokens":1}""";
            var stream = Events(
                $$$"""{"type":"message_start","message":{"model":"{{{model}}}","usage":{{{start}}}}}""",
                Text(text),
                Report(usage),
                Stop);
            var asked = Models[random.Next(Models.Length - 1)];
            var card = new RateCard(asked, PriceBook.BuiltIn.Find(asked, admitted)!, 2m, PriceBook.BuiltIn, admitted, false);

            Assert.Equal(ReadingQuality.Exact, body.Quality);
            Assert.Equal(Line(body), Line(stream));
            Assert.Equal(card.Price(body.Usage, body.AnsweredModel), card.Price(stream.Usage, stream.AnsweredModel));
        }
    }

    private static string RandomUsage(Random random)
    {
        var json = new StringBuilder("{").Append(RandomTokens(random));
        if (random.Next(4) == 0)
        {
            var passes = Enumerable.Range(0, random.Next(4)).Select(_ =>
                $"{{{RandomTokens(random)}{(random.Next(2) == 0 ? $",\"model\":\"{Models[random.Next(Models.Length)]}\"" : "")}}}");
            json.Append(",\"iterations\":[").AppendJoin(',', passes).Append(']');
        }

        json.Append(random.Next(3) == 0 ? ",\"service_tier\":\"batch\"" : "");
        json.Append(random.Next(3) == 0 ? ",\"inference_geo\":\"us\"" : "");
        json.Append(random.Next(3) == 0 ? ",\"speed\":\"fast\"" : "");
        json.Append(random.Next(3) == 0 ? ",\"server_tool_use\":{\"web_search_requests\":2}" : "");
        return json.Append('}').ToString();
    }

    private static string RandomTokens(Random random)
    {
        var members = new List<string> { $"\"input_tokens\":{random.Next(120_000)}", $"\"output_tokens\":{random.Next(1, 9_000)}" };
        var (written5m, written1h) = (random.Next(5_000), random.Next(5_000));
        if (random.Next(2) == 0)
        {
            members.Add(string.Create(CultureInfo.InvariantCulture, $"\"cache_creation_input_tokens\":{written5m + written1h}"));
        }

        if (random.Next(2) == 0)
        {
            members.Add($$"""
                "cache_creation":{"ephemeral_5m_input_tokens":{{written5m}},"ephemeral_1h_input_tokens":{{written1h}}}
                """);
        }

        members.Add($"\"cache_read_input_tokens\":{random.Next(90_000)}");
        return string.Join(',', members.OrderBy(_ => random.Next()));
    }
}
