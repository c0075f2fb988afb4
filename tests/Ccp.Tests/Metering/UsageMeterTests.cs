using System.Text;
using Ccp.Metering;
using Ccp.Pricing;
using static Ccp.Tests.Metering.Metered;

namespace Ccp.Tests.Metering;

public sealed class UsageMeterTests
{
    [Fact]
    public void A_stream_cut_after_the_final_report_and_before_its_stop_is_exact()
    {
        var reading = Events(Start, Text("hello"), Report("""{"output_tokens":9}"""));

        Assert.Equal(ReadingQuality.Exact, reading.Quality);
        Assert.Equal(new TokenUsage(40, 0, 0, 0, 9), reading.Usage.Tokens);
    }

    [Fact]
    public void A_report_without_a_stop_reason_becomes_final_with_the_stop_event()
    {
        string[] soFar = [Start, Text("hello, hello, hello, hello, hello"), Report("""{"output_tokens":9}""", stopReason: null)];

        Assert.Equal(ReadingQuality.Estimated, Events(soFar).Quality);
        Assert.Equal(11, Events(soFar).Usage.Tokens.Output);
        Assert.Equal(ReadingQuality.Exact, Events([.. soFar, Stop]).Quality);
        Assert.Equal(9, Events([.. soFar, Stop]).Usage.Tokens.Output);
    }

    [Fact]
    public void A_stop_without_any_later_report_leaves_the_estimate()
    {
        var reading = Events(Start, Text("0123456789abcdef"), Stop);

        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
        Assert.Equal(5, reading.Usage.Tokens.Output);
    }

    [Fact]
    public void An_exact_number_stands_though_the_text_would_be_estimated_higher()
    {
        Assert.Equal(2, Events(Start, Text(new string('x', 640)), Report("""{"output_tokens":2}"""), Stop).Usage.Tokens.Output);
    }

    [Theory]
    [InlineData("x", 1)]
    [InlineData("0123456789abcdef", 5)]
    [InlineData("0123456789abcdefg", 6)]
    [InlineData(@"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", 5)]
    [InlineData(@"\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", 5)]
    [InlineData(@"\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00", 5)]
    [InlineData(@"\u20AC\u20AC\u20AC\u20AC\u20AC\u0041", 5)]
    [InlineData(@"a\ud83db\u0020", 2)]
    [InlineData("😀😀😀😀", 5)]
    public void Text_is_estimated_by_the_bytes_it_stands_for(string json, long tokens)
    {
        Assert.Equal(tokens, Events("""{"type":"message_start","message":{"usage":{"input_tokens":1}}}""", Text(json)).Usage.Tokens.Output);
    }

    [Fact]
    public void Text_thinking_and_tool_input_are_estimated_together_and_rounded_once()
    {
        var reading = Events(
            Start,
            """{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"12345"}}""",
            """{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"12345678901234567890"}}""",
            """{"type":"content_block_delta","delta":{"type":"text_delta","text":"12345"}}""",
            """{"type":"content_block_start","content_block":{"type":"tool_use","input":{}}}""",
            """{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a\":1"}}""");

        Assert.Equal(5, reading.Usage.Tokens.Output);
    }

    [Fact]
    public void Thinking_that_is_not_shown_counts_as_announced()
    {
        var reading = Events(
            Start,
            """{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"","estimated_tokens":50}}""",
            """{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"","estimated_tokens":null}}""",
            """{"type":"content_block_delta","delta":{"estimated_tokens":100,"type":"thinking_delta","thinking":""}}""",
            Text("0123456789abcdef"));

        Assert.Equal(155, reading.Usage.Tokens.Output);
    }

    [Fact]
    public void Thinking_that_is_shown_is_not_counted_twice()
    {
        var shown = """{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"0123456789abcdef","estimated_tokens":50}}""";

        Assert.Equal(5, Events(Start, shown).Usage.Tokens.Output);
    }

    [Fact]
    public void Nothing_but_zeros_never_overrides()
    {
        var reading = Events(
            """{"type":"message_start","message":{"usage":{"input_tokens":40,"cache_read_input_tokens":9,"output_tokens":3}}}""",
            Text("0123456789abcdef"),
            Report("""{"input_tokens":0,"output_tokens":0,"cache_read_input_tokens":0}"""),
            Stop);

        Assert.Equal(new TokenUsage(40, 0, 0, 9, 5), reading.Usage.Tokens);
        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
    }

    [Fact]
    public void A_last_report_of_zeros_is_believed_of_an_answer_without_content()
    {
        var reading = Events("""{"type":"message_start","message":{"usage":{"input_tokens":40}}}""", Report("""{"output_tokens":0}"""), Stop);

        Assert.Equal(ReadingQuality.Exact, reading.Quality);
        Assert.Equal(new TokenUsage(40, 0, 0, 0, 0), reading.Usage.Tokens);
    }

    [Fact]
    public void A_usage_that_goes_down_is_taken_as_written()
    {
        var reading = Events(Start, Report("""{"input_tokens":50,"output_tokens":20}""", null), Report("""{"input_tokens":45,"output_tokens":19}"""));

        Assert.Equal(new TokenUsage(45, 0, 0, 0, 19), reading.Usage.Tokens);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("10000001")]
    [InlineData("1e30")]
    [InlineData("1e400")]
    [InlineData("99999999999999999999999999999999999999")]
    [InlineData("1.5")]
    [InlineData("\"7\"")]
    [InlineData("[7]")]
    [InlineData("true")]
    public void A_number_that_cannot_be_true_is_ignored_and_makes_the_reading_suspect(string number)
    {
        var reading = Events(Start, Report($$"""{"input_tokens":{{number}},"output_tokens":9}"""), Stop);

        Assert.Equal(ReadingQuality.Suspect, reading.Quality);
        Assert.Equal(new TokenUsage(40, 0, 0, 0, 9), reading.Usage.Tokens);
    }

    [Theory]
    [InlineData("10000000", 10_000_000)]
    [InlineData("12.0", 12)]
    [InlineData("1.2e1", 12)]
    public void A_whole_number_is_read_however_it_is_written(string number, long tokens)
    {
        var reading = Events(Start, Report($$"""{"output_tokens":{{number}}}"""), Stop);

        Assert.Equal(ReadingQuality.Exact, reading.Quality);
        Assert.Equal(tokens, reading.Usage.Tokens.Output);
    }

    [Fact]
    public void An_ignored_output_leaves_the_estimate_in_its_place()
    {
        var reading = Events(Start, Text(new string('x', 64)), Report("""{"output_tokens":-5}"""), Stop);

        Assert.Equal(ReadingQuality.Suspect, reading.Quality);
        Assert.Equal(20, reading.Usage.Tokens.Output);
    }

    [Fact]
    public void A_null_is_a_number_not_named()
    {
        var reading = Events(Start, Report("""{"input_tokens":null,"cache_creation":null,"iterations":null,"server_tool_use":null,"output_tokens":9}"""));

        Assert.Equal(ReadingQuality.Exact, reading.Quality);
        Assert.Equal(new TokenUsage(40, 0, 0, 0, 9), reading.Usage.Tokens);
    }

    [Theory]
    [InlineData("""{"cache_creation_input_tokens":100}""", 70, 30)]
    [InlineData("""{"cache_creation_input_tokens":130}""", 100, 30)]
    [InlineData("""{"cache_creation_input_tokens":90}""", 90, 0)]
    [InlineData("""{"cache_creation_input_tokens":0,"output_tokens":1}""", 0, 0)]
    [InlineData("""{"output_tokens":7}""", 70, 30)]
    [InlineData("""{"cache_creation_input_tokens":50,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":40}}""", 10, 40)]
    [InlineData("""{"cache_creation_input_tokens":60,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":40}}""", 20, 40)]
    [InlineData("""{"cache_creation":{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":2}}""", 1, 2)]
    public void Cache_writes_keep_their_split_while_the_sums_allow_it(string usage, long fiveMinutes, long oneHour)
    {
        var start = """
            {"type":"message_start","message":{"usage":{"input_tokens":1,"cache_creation_input_tokens":100,
            "cache_creation":{"ephemeral_5m_input_tokens":70,"ephemeral_1h_input_tokens":30}}}}
            """.ReplaceLineEndings("");
        var tokens = Events(start, Report(usage)).Usage.Tokens;

        Assert.Equal((fiveMinutes, oneHour), (tokens.CacheWrite5m, tokens.CacheWrite1h));
    }

    [Fact]
    public void Iterations_are_the_whole_truth_each_at_its_model()
    {
        var reading = Events(Start, Report("""
            {"input_tokens":7,"output_tokens":8,"iterations":[
            {"type":"message","input_tokens":1,"output_tokens":2,"cache_read_input_tokens":3},
            {"type":"advisor_message","model":"claude-opus-5-5","input_tokens":10,"output_tokens":20,"cache_creation_input_tokens":30,
            "cache_creation":{"ephemeral_1h_input_tokens":10}}]}
            """.ReplaceLineEndings("")));

        Assert.Equal(new TokenUsage(11, 20, 10, 3, 22), reading.Usage.Tokens);
        Assert.Equal([new(null, new(1, 0, 0, 3, 2)), new("claude-opus-5-5", new(10, 20, 10, 0, 20))], reading.Usage.Iterations);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""[{"type":"message"}]""")]
    [InlineData("""[{"type":"message","input_tokens":0,"output_tokens":0}]""")]
    public void Iterations_without_a_token_hide_nothing(string iterations)
    {
        var reading = Events(Start, Report($$"""{"output_tokens":8,"iterations":{{iterations}}}"""));

        Assert.Equal(new TokenUsage(40, 0, 0, 0, 8), reading.Usage.Tokens);
        Assert.Empty(reading.Usage.Iterations);
    }

    [Fact]
    public void An_estimate_beyond_the_iterations_goes_to_the_one_still_running()
    {
        var start = """{"type":"message_start","message":{"usage":{"iterations":[{"input_tokens":5,"output_tokens":3},{"input_tokens":2,"output_tokens":1}]}}}""";
        var reading = Events(start, Text(new string('x', 64)));

        Assert.Equal(20, reading.Usage.Tokens.Output);
        Assert.Equal([new(null, new(5, 0, 0, 0, 3)), new(null, new(2, 0, 0, 0, 17))], reading.Usage.Iterations);
    }

    [Fact]
    public void An_error_before_anything_else_costs_nothing()
    {
        var reading = Events("""{"type":"ping"}""", """{"type":"error","error":{"type":"overloaded_error","message":"x"}}""");

        Assert.False(reading.HasStarted);
        Assert.Equal("overloaded_error", reading.ErrorType);
        Assert.Equal(MeteredUsage.Nothing, reading.Usage);
    }

    [Fact]
    public void Content_without_a_start_is_not_free()
    {
        var reading = Events(Text(new string('x', 32)));

        Assert.True(reading.HasStarted);
        Assert.Equal(10, reading.Usage.Tokens.Output);
    }

    [Theory]
    [InlineData("""{"type":"message_delta","usage":{"output_tokens":""")]
    [InlineData("""{"type":"message_delta","usage":{"output_tokens":9}} x""")]
    [InlineData("""{"typ""")]
    [InlineData("{")]
    public void A_line_that_may_have_been_a_report_and_cannot_be_read_takes_exactness_away(string line)
    {
        var reading = Events(Start, line, Report("""{"output_tokens":9}"""), Stop);

        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
        Assert.Equal(9, reading.Usage.Tokens.Output);
    }

    [Theory]
    [InlineData("[DONE]")]
    [InlineData("""{"type":"content_block_delta","delta":{"text":"x""")]
    [InlineData("""{"type":"ping" """)]
    [InlineData("")]
    public void A_line_that_was_no_report_takes_nothing_away(string line)
    {
        Assert.Equal(ReadingQuality.Exact, Events(Start, line, Report("""{"output_tokens":9}"""), Stop).Quality);
    }

    [Fact]
    public void The_type_is_the_datas_own_and_may_stand_anywhere_in_it()
    {
        var reading = Stream("""
            event: ping
            data:{"usage":{"output_tokens":9},"delta":{"stop_reason":"end_turn"},"type":"message_delta"}


            """u8);

        Assert.Equal(9, reading.Usage.Tokens.Output);
        Assert.Equal(ReadingQuality.Exact, reading.Quality);
    }

    [Fact]
    public void Content_after_a_last_report_makes_it_one_of_several()
    {
        var reading = Events(Start, Text("x"), Report("""{"output_tokens":9}"""), Text(new string('x', 64)));

        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
        Assert.Equal(21, reading.Usage.Tokens.Output);
    }

    [Fact]
    public void A_line_beyond_the_limit_is_passed_over_and_takes_exactness_away()
    {
        var reading = Events(Start, Text(new string('x', SseLines.LineBytesMax)), Report("""{"output_tokens":9}"""), Stop);

        Assert.Equal(ReadingQuality.Estimated, reading.Quality);
        Assert.Equal(new TokenUsage(40, 0, 0, 0, 9), reading.Usage.Tokens);
    }

    [Fact]
    public void The_running_state_follows_the_stream()
    {
        using var meter = new UsageMeter();
        Assert.True(meter is { HasStarted: false, IsComplete: false, SawError: false, IsAtEventBoundary: true });
        meter.Observe(Tape(Start));
        Assert.True(meter is { HasStarted: true, HasFinalUsage: false });
        meter.Observe(Tape(Text(new string('x', 640))));
        Assert.Equal(new TokenUsage(40, 0, 0, 0, 200), meter.RunningTokens);
        meter.Observe(Tape(Report("""{"output_tokens":150}""")));
        Assert.True(meter is { HasFinalUsage: true, IsComplete: false });
        Assert.Equal(150, meter.RunningTokens.Output);
        meter.Observe(Tape(Stop));
        Assert.True(meter is { IsComplete: true, SawError: false });
        meter.Observe(Tape("""{"type":"error","error":{"type":"api_error"}}"""));
        Assert.True(meter.SawError);
    }

    /// <summary>
    /// Goal: metering a stream costs no garbage, whatever its length.
    /// Method: ten thousand content events in chunks of odd sizes, measured after one round of the same has warmed everything.
    /// </summary>
    [Fact]
    public void No_content_event_allocates()
    {
        var events = Tape([.. Enumerable.Range(0, 10_000).Select(number => (number % 3) switch
        {
            0 => Text(@"some text, with \""escapes\"" \u20ac and €"),
            1 => """{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"","estimated_tokens":50}}""",
            _ => """{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a\":1"}}""",
        })]);
        using var meter = new UsageMeter();
        meter.Observe(Tape(Start));
        Run(meter, events);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(meter, events);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>
    /// Goal: no bytes whatever make the meter throw, or read more than an answer can hold.
    /// Method: a fixed seed damages a whole stream in many small ways, and feeds it in pieces.
    /// </summary>
    [Fact]
    public void No_bytes_make_the_meter_throw()
    {
        var random = new Random(7);
        var whole = Tape(
            Start,
            Text(@"h\u00e9\ud83d\ude00"),
            """{"type":"content_block_start","content_block":{"type":"tool_use","input":{"a":[1,{"b":"c"}]}}}""",
            Report("""{"output_tokens":9,"cache_creation":{"ephemeral_1h_input_tokens":3},"iterations":[{"model":"m","input_tokens":4}],"speed":"fast"}"""),
            """{"type":"error","error":{"type":"api_error"}}""",
            Stop);
        var alphabet = "{}[]\":,\\ud8\r\n0-9e.tn\u00ff\u0000"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = whole.ToArray();
            for (var damage = random.Next(1, 6); damage > 0; damage--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            }

            var reading = Stream(bytes, random.Next(bytes.Length));
            Assert.InRange(reading.Usage.Tokens.Total, 0, 10 * ReportedTokens.TokensMax);
            Assert.All(
                new[] { reading.Usage.Tokens.Input, reading.Usage.Tokens.CacheRead, reading.Usage.Tokens.Output },
                count => Assert.InRange(count, 0, 2 * ReportedTokens.TokensMax));
            BodyUsage.Read(bytes.AsSpan(bytes.AsSpan().IndexOf((byte)'{')));
        }

        for (var round = 0; round < 2_000; round++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            Stream([.. Encoding.UTF8.GetBytes("data: {"), .. bytes, (byte)'\n']);
            BodyUsage.Read([(byte)'{', .. bytes]);
            BodyUsage.Read(bytes);
        }
    }

    private static void Run(UsageMeter meter, ReadOnlySpan<byte> bytes)
    {
        var size = 1;
        while (!bytes.IsEmpty)
        {
            size = (size * 7 % 1021) + 1;
            var cut = Math.Min(size, bytes.Length);
            meter.Observe(bytes[..cut]);
            bytes = bytes[cut..];
        }
    }
}
