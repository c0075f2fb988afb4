using System.Net;
using System.Text;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>What a call costs, however it ends. Sonnet 5.5: 2 in, 2.50 and 4 cache write, 0.10 cache read, 10 out, in USD per million; the markup is 2.</summary>
public sealed class MoneyTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    /// <summary>25 × 2 and 15 × 10 millionths, twice.</summary>
    private static readonly NanoUsd SmallCharge = new(400_000);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_is_charged_at_tokens_times_price_times_markup_to_the_nano_dollar(bool stream)
    {
        var usage = new Usage(Input: 1_201, Output: 333, CacheWrite5m: 17, CacheWrite1h: 3, CacheRead: 70_001);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => stream
            ? Answers.Stream(CcpUnderTest.Model, ["hi"], usage)
            : Answers.Message(CcpUnderTest.Model, "hi", usage));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        await ReadAsync(await ccp.AskAsync(stream));
        await ccp.StopAsync();

        // 1201 × 2 + 17 × 2.50 + 3 × 4 + 70001 × 0.10 + 333 × 10 = 12 786.6 millionths of a dollar.
        var charge = Assert.Single(ccp.Store.Charges);
        Assert.Equal(new NanoUsd(-25_573_200), charge.Amount);
        Assert.Equal(CcpSetup.Dollars("50") - new NanoUsd(25_573_200), charge.BalanceAfter);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.Equal(charge.Reference, record.Id);
        Assert.Equal(new TokenUsage(1_201, 17, 3, 70_001, 333), record.Tokens);
        Assert.Equal(new NanoUsd(12_786_600), record.Cost);
        Assert.False(record.IsEstimated);
        Assert.Empty(ccp.Store.OpenHolds);
    }

    [Fact]
    public async Task A_user_s_own_markup_takes_the_place_of_the_general_one()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.AliceKeys = "markup = 1.1");

        await ReadAsync(await ccp.AskAsync());
        await ccp.StopAsync();

        Assert.Equal(new NanoUsd(-220_000), Assert.Single(ccp.Store.Charges).Amount);
    }

    [Fact]
    public async Task With_nothing_left_a_call_is_refused_before_the_upstream_hears_of_it()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.0000001");

        await ReadAsync(await ccp.AskAsync());
        using var refused = await ccp.AskAsync();

        Assert.Equal(402, (int)refused.StatusCode);
        Assert.Equal("false", refused.Headers.GetValues("x-should-retry").Single());
        var said = await refused.Content.ReadAsStringAsync();
        Assert.Contains("\"billing_error\"", said, StringComparison.Ordinal);
        Assert.Contains("top-up", said, StringComparison.Ordinal);
        Assert.DoesNotContain("credit balance is too low", said, StringComparison.OrdinalIgnoreCase);
        Assert.Single(upstream.Requests);
    }

    [Fact]
    public async Task Money_held_by_a_call_in_progress_cannot_be_held_twice()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request => request.BodyText.Contains("first", StringComparison.Ordinal)
            ? Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).WaitFor(goOn).Send(SseEvents.MessageDelta(Small)).Send(SseEvents.MessageStop)
            : Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.05");

        using var first = await ccp.AskAsync(text: "first");
        using var second = await ccp.AskAsync(text: "second", maxTokens: 8_000);
        goOn.Open();
        await ReadAsync(first);
        using var third = await ccp.AskAsync(text: "third");

        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.Equal("5", second.Headers.GetValues("retry-after").Single());
        Assert.False(second.Headers.Contains("x-should-retry"));
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        await ReadAsync(third);
        await ccp.StopAsync();
        Assert.Equal(2, ccp.Store.Charges.Count);
    }

    [Fact]
    public async Task The_hold_is_on_disk_before_the_first_byte_reaches_the_client()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).WaitFor(goOn).Send(SseEvents.MessageDelta(Small)).Send(SseEvents.MessageStop));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();
        var hold = Assert.Single(ccp.Store.OpenHolds);
        Assert.Equal(new LaneDecision("anthropic", "default"), hold.Decision);
        goOn.Open();
        await ReadAsync(answer);

        Assert.Equal(answer.Headers.GetValues("x-ccp-request-id").Single(), hold.RequestId);
        Assert.Contains("\"markup\":2", hold.Rates, StringComparison.Ordinal);
        Assert.True(hold.Charge > NanoUsd.Zero);
    }

    [Fact]
    public async Task A_client_that_leaves_in_mid_text_pays_for_what_was_written_and_the_upstream_is_cancelled()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small))
            .Send(SseEvents.TextStart())
            .Send(SseEvents.TextDelta(new string('x', 640)))
            .Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using (var answer = await ccp.AskAsync())
        {
            await ReadUntilAsync(answer, "xxx\"}}\n\n");
        }

        await (await upstream.NextAsync()).Aborted.WaitAsync(TimeSpan.FromSeconds(10));
        await ccp.StopAsync();

        // 25 in and 640 bytes / 3.2 = 200 out.
        var charge = Assert.Single(ccp.Store.Charges);
        Assert.Equal(new NanoUsd(-2 * ((25 * 2_000) + (200 * 10_000))), charge.Amount);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.Equal("client_left", record.Reason);
        Assert.True(record.IsEstimated);
        Assert.Contains("estimated", charge.Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_before_the_answer_begins_pays_for_the_prompt_that_was_worked_on()
    {
        var begin = new Gate();
        var asked = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Begin.Signal(asked).WaitFor(begin)
            .Then(Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, new Usage(1_000, 1))).Hang()));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var leaving = new CancellationTokenSource();
        var call = ccp.AskAsync(cancellation: leaving.Token);
        await asked.WaitAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        begin.Open();
        await upstream.Requests.Single().Aborted.WaitAsync(TimeSpan.FromSeconds(10));
        await ccp.StopAsync();

        // 1000 in, and the one token out that message_start reports.
        Assert.Equal(new NanoUsd(-2 * ((1_000 * 2_000) + 10_000)), Assert.Single(ccp.Store.Charges).Amount);
        Assert.Equal("client_left", Assert.Single(ccp.Store.Requests).Reason);
    }

    [Fact]
    public async Task An_upstream_that_is_cut_between_events_costs_what_came_and_the_client_is_told()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta(new string('x', 32))).Cut());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        var text = await ReadAsync(await ccp.AskAsync());
        await ccp.StopAsync();

        Assert.Contains("event: message_start", text, StringComparison.Ordinal);
        Assert.EndsWith("event: error\ndata: ", text[..(text.LastIndexOf("data: ", StringComparison.Ordinal) + 6)], StringComparison.Ordinal);
        Assert.Contains("Ask again", text, StringComparison.Ordinal);
        Assert.Equal(new NanoUsd(-2 * ((25 * 2_000) + (10 * 10_000))), Assert.Single(ccp.Store.Charges).Amount);
        Assert.Equal("upstream_cut", Assert.Single(ccp.Store.Requests).Reason);
    }

    [Fact]
    public async Task A_cut_inside_an_event_is_passed_on_as_a_cut()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Send("event: content_block_delta\ndata: {\"type\":\"content_bl").Cut());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => ReadAsync(answer));
        await ccp.StopAsync();

        Assert.Equal(new NanoUsd(-2 * ((25 * 2_000) + 10_000)), Assert.Single(ccp.Store.Charges).Amount);
    }

    [Fact]
    public async Task A_stream_that_fails_before_any_content_costs_nothing()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream().Send(SseEvents.Error("overloaded_error", "Overloaded")).End());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        var text = await ReadAsync(await ccp.AskAsync());
        await ccp.StopAsync();

        Assert.Equal(SseEvents.Error("overloaded_error", "Overloaded"), text);
        Assert.Empty(ccp.Store.Charges);
        Assert.Empty(ccp.Store.OpenHolds);
        Assert.Equal(CcpSetup.Dollars("50"), ccp.Store.BalanceOfAlice);
    }

    [Fact]
    public async Task A_stream_is_ended_between_events_when_it_has_used_up_balance_and_overdraft_and_the_next_call_is_refused()
    {
        var letter = new string('y', 3_200);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ =>
        {
            var script = Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Send(SseEvents.TextStart());
            for (var delta = 0; delta < 200; delta++)
            {
                script = script.Send(SseEvents.TextDelta(letter));
            }

            return script.Hang();
        });

        // 1000 tokens of output an event: 0.02 USD. 0.10 and 0.05 of overdraft pay for seven.
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.10", change: setup => setup.Billing = """overdraft = "0.05" """);

        var text = await ReadAsync(await ccp.AskAsync());
        using var next = await ccp.AskAsync();
        await ccp.StopAsync();

        Assert.EndsWith("}\n\n", text, StringComparison.Ordinal);
        Assert.Contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"billing_error\"", text, StringComparison.Ordinal);
        Assert.Equal(402, (int)next.StatusCode);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.Equal("out_of_credit", record.Reason);
        Assert.InRange(ccp.Store.BalanceOfAlice.Value, -CcpSetup.Dollars("0.07").Value, -CcpSetup.Dollars("0.05").Value);
    }

    [Theory]
    [InlineData("", """ "speed":"fast","inference_geo":"us", """, 2, 176_440_000)]
    [InlineData(""" "speed":"fast","inference_geo":"us", """, "", 2, 176_440_000)]
    [InlineData(""" "speed":"fast","inference_geo":"us", """, """ "speed":"standard","inference_geo":"global", """, 4, 160_200_000)]
    public async Task A_stream_is_ended_by_the_price_it_will_be_charged_at(string asked, string reported, int events, long charge)
    {
        // Opus 5.5: 1000 tokens of output an event are 0.04 USD, and fast in the US 0.088.
        var start = SseEvents.MessageStart("claude-opus-5-5", Small).Replace("\"usage\":{", "\"usage\":{" + reported, StringComparison.Ordinal);
        var delta = SseEvents.TextDelta(new string('y', 3_200));
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Enumerable.Range(0, 20).Aggregate(
            Answers.BeginStream().Send(start).Send(SseEvents.TextStart()),
            (script, _) => script.Send(delta)).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.10", change: setup => setup.Billing = """overdraft = "0.05" """);

        var text = await ReadAsync(await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages", body: AskedOfOpus(asked))));
        await ccp.StopAsync();

        Assert.Equal(events, text.Split(delta).Length - 1);
        Assert.Contains("billing_error", text, StringComparison.Ordinal);
        Assert.Equal(new NanoUsd(-charge), Assert.Single(ccp.Store.Charges).Amount);
    }

    [Fact]
    public async Task A_prompt_that_was_never_counted_is_charged_by_all_its_text_at_what_was_asked_for()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream().Send(SseEvents.Ping).Cut());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        // 128 000 tokens: above the limit from which Haiku 5.5 is dearer, 0.50 USD instead of 0.10 per million.
        var document = $$$"""{"type":"document","source":{"type":"text","media_type":"text/plain","data":"{{{new string('a', 409_600)}}}"}}""";
        var body = $$"""{"model":"claude-haiku-5-5","inference_geo":"us","stream":true,"max_tokens":16,"messages":[{"role":"user","content":[{{document}}]}]}""";
        await ReadAsync(await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages", body: body)));
        await ccp.StopAsync();

        var record = Assert.Single(ccp.Store.Requests);
        Assert.InRange(record.Tokens.Input, 128_000, 128_200);
        Assert.Equal(new NanoUsd(-1_100 * record.Tokens.Input), Assert.Single(ccp.Store.Charges).Amount);
    }

    [Fact]
    public async Task A_free_model_needs_no_balance_and_leaves_an_entry_of_zero()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream("claude-free", ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0", change: setup => setup.More =
            """
            [[price]]
            model = "claude-free"
            input = 0
            output = 0
            web_search_per_1000 = 0
            """);

        await ReadAsync(await ccp.AskAsync(model: "claude-free"));
        await ccp.StopAsync();

        Assert.Equal(NanoUsd.Zero, Assert.Single(ccp.Store.Charges).Amount);
    }

    [Fact]
    public async Task Users_who_are_not_billed_are_metered_and_not_charged()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0", change: setup => setup.AliceKeys = "billing = false");

        await ReadAsync(await ccp.AskAsync());
        await ccp.StopAsync();

        Assert.Empty(ccp.Store.Charges);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.Equal(new NanoUsd(SmallCharge.Value / 2), record.Cost);
        Assert.Equal(NanoUsd.Zero, record.Charge);
    }

    [Fact]
    public async Task A_balance_under_the_warning_line_says_so_in_a_header()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "29.99");

        using var answer = await ccp.AskAsync();

        Assert.Equal("true", answer.Headers.GetValues("x-low-balance-warning").Single());
        await ReadAsync(answer);
    }

    [Fact]
    public async Task A_call_in_progress_when_ccp_is_killed_is_charged_at_the_next_start()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "Only a process of its own can be killed.");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta("hello")).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();
        await ReadUntilAsync(answer, "hello");
        await ((NativeCcp)ccp).KillAsync();
        Assert.Single(ccp.Store.OpenHolds);
        await ccp.RunAsync();

        Assert.Empty(ccp.Store.OpenHolds);
        var charge = Assert.Single(ccp.Store.Charges);
        Assert.True(charge.Amount < NanoUsd.Zero);
        Assert.Contains("crash", charge.Note, StringComparison.Ordinal);
        Assert.True(Assert.Single(ccp.Store.Requests).IsEstimated);
    }

    [Theory]
    [InlineData(""" "speed":"fast","inference_geo":"us", """, "")]
    [InlineData("", """ "speed":"fast","inference_geo":"us", """)]
    public async Task A_fast_call_in_progress_when_ccp_is_killed_is_charged_as_one(string asked, string reported)
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "Only a process of its own can be killed.");
        var goOn = new Gate();
        var start = SseEvents.MessageStart("claude-opus-5-5", Small).Replace("\"usage\":{", "\"usage\":{" + reported, StringComparison.Ordinal);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(start).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta(new string('y', 3_200))).WaitFor(goOn).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages", body: AskedOfOpus(asked)));
        for (var look = 0; look < 200 && ccp.Store.OpenHolds[0].Tokens.Output == 0; look++)
        {
            await Task.Delay(50);
        }

        await ((NativeCcp)ccp).KillAsync();
        await ccp.RunAsync();

        // 25 × 8 and 1000 × 40 millionths, × 1.1 in the US, twice.
        var charge = Assert.Single(ccp.Store.Charges);
        Assert.Equal(new NanoUsd(-88_440_000), charge.Amount);
        var (_, receipt) = await ccp.AdministerAsync(HttpMethod.Get, $"/admin/requests/{charge.Reference}/receipt");
        Assert.All(receipt.GetProperty("lines").EnumerateArray(), line => Assert.Equal("fast", line.GetProperty("basis").GetString()));
    }

    [Fact]
    public async Task Many_streams_at_once_arrive_whole_and_are_charged_once_each()
    {
        const int Streams = 500;
        const int Events = 200;
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
        {
            var number = int.Parse(request.Json().GetProperty("messages")[0].GetProperty("content").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
            return Answers.Stream(CcpUnderTest.Model, Enumerable.Range(0, Events).Select(piece => $"{number}:{piece} "), new Usage(number, Events));
        });
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "1000");

        var answers = await Task.WhenAll(Enumerable.Range(1, Streams).Select(async number =>
        {
            using var answer = await ccp.AskAsync(text: $"{number}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return (Number: number, Id: answer.Headers.GetValues("x-ccp-request-id").Single(), Body: await answer.Content.ReadAsStringAsync());
        }));
        await ccp.StopAsync();

        Assert.All(answers, answer =>
        {
            var expected = SseEvents.TextStart() + SseEvents.Ping
                + string.Concat(Enumerable.Range(0, Events).Select(piece => SseEvents.TextDelta($"{answer.Number}:{piece} ")))
                + SseEvents.BlockStop() + SseEvents.MessageDelta(new Usage(answer.Number, Events)) + SseEvents.MessageStop;
            Assert.EndsWith(expected, answer.Body, StringComparison.Ordinal);
            Assert.StartsWith("event: message_start\n", answer.Body, StringComparison.Ordinal);
        });
        var charges = ccp.Store.Charges.ToDictionary(charge => charge.Reference, charge => -charge.Amount.Value);
        Assert.Equal(Streams, charges.Count);
        Assert.All(answers, answer => Assert.Equal(2L * ((answer.Number * 2_000) + (Events * 10_000)), charges[answer.Id]));
        Assert.Equal(CcpSetup.Dollars("1000").Value - charges.Values.Sum(), ccp.Store.BalanceOfAlice.Value);
        Assert.Empty(ccp.Store.OpenHolds);
    }

    private static string AskedOfOpus(string more) =>
        $$"""{"model":"claude-opus-5-5",{{more}}"stream":true,"max_tokens":64000,"messages":[{"role":"user","content":"hello"}]}""";

    private static async Task<string> ReadAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            return await answer.Content.ReadAsStringAsync();
        }
    }

    private static async Task ReadUntilAsync(HttpResponseMessage answer, string end)
    {
        var body = await answer.Content.ReadAsStreamAsync();
        var text = new StringBuilder();
        var piece = new byte[4096];
        while (!text.ToString().Contains(end, StringComparison.Ordinal))
        {
            var read = await body.ReadAsync(piece);
            Assert.NotEqual(0, read);
            text.Append(Encoding.UTF8.GetString(piece, 0, read));
        }
    }
}
