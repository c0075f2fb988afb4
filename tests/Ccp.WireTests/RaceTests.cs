using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>Many at once against little money, and operators who act while answers are being written.</summary>
public sealed class RaceTests
{
    private const int Callers = 200;
    private const string Root = "7d3f1c52-9f5e-4a2b-8b4d-1f6f0e7a9c33";

    /// <summary>1 600 bytes: an estimated prompt of 500 tokens and a few.</summary>
    private static readonly string Prompt = new('p', 1_600);

    /// <summary>500 in and 450 out: 1000 + 4500 millionths of a dollar, twice: 0.011 USD.</summary>
    private static readonly Usage Call = new(Input: 500, Output: 450);
    private static readonly NanoUsd CallCharge = new(11_000_000);
    private static readonly NanoUsd Overdraft = CcpSetup.Dollars("0.005");

    /// <summary>How many times the race is run. More on request: the outcome must not depend on luck.</summary>
    private static int Runs => int.Parse(Environment.GetEnvironmentVariable("CCP_RACE_RUNS") ?? "3", CultureInfo.InvariantCulture);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, Runs)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Two_hundred_callers_cannot_spend_more_than_balance_and_overdraft(int seed)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request => request.BodyText.Contains("\"stream\":true", StringComparison.Ordinal)
            ? Answers.Stream(CcpUnderTest.Model, Enumerable.Repeat(new string('x', 144), 10), Call)
            : Answers.Message(CcpUnderTest.Model, new string('x', 1_440), Call));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.033", change: setup => setup.Billing = """overdraft = "0.005" """);
        var random = new Random(seed);

        // Wave after wave, so that those who were told to wait come back, until everybody is told that the money is gone.
        var statuses = new List<HttpStatusCode>();
        var isMoneyGone = false;
        for (var wave = 0; wave < 50 && !isMoneyGone; wave++)
        {
            var streams = Enumerable.Range(0, Callers).Select(_ => random.Next(4) > 0).ToArray();
            var answers = await Task.WhenAll(streams.Select(stream => AskAsync(ccp, stream)));
            isMoneyGone = answers.All(status => status == HttpStatusCode.PaymentRequired);
            statuses.AddRange(answers);
        }

        await ccp.StopAsync();

        Assert.True(isMoneyGone);
        Assert.Equal(statuses.Count(status => status == HttpStatusCode.OK), ccp.Store.Charges.Count);
        Assert.Equal(ccp.Store.Charges.Count, upstream.Requests.Count);
        Assert.InRange(ccp.Store.Charges.Count, 3, 4);
        AssertBounded(ccp, balance: "0.033", streamsInFlight: 0, perStream: NanoUsd.Zero);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Streams_that_all_turn_out_dearer_than_ever_are_ended_in_time(int seed)
    {
        // Cheap calls first, so that the usual charge is small and many are let in at once; then each goes on for ever.
        var cheap = new Usage(Input: 10, Output: 10);
        var allHaveBegun = new Gate();
        var dear = false;
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Volatile.Read(ref dear) ? Endless() : Answers.Stream(CcpUnderTest.Model, ["hi"], cheap));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.033", change: setup => setup.Billing = """overdraft = "0.005" """);
        for (var call = 0; call < 10; call++)
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(ccp, stream: true));
        }

        Volatile.Write(ref dear, true);
        var answers = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => ccp.AskAsync(text: Prompt, maxTokens: 450)));
        allHaveBegun.Open();
        await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()));
        var next = await AskAsync(ccp, stream: true);
        await ccp.StopAsync();

        var served = answers.Count(answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.True(served > 20, $"{seed}: only {served} streams ran at once.");
        Assert.Equal(HttpStatusCode.PaymentRequired, next);

        // An event is 100 tokens.
        AssertBounded(ccp, balance: "0.033", streamsInFlight: served, perStream: new NanoUsd(100 * 20_000));
        foreach (var answer in answers)
        {
            answer.Dispose();
        }

        Script Endless() => Enumerable.Range(0, 400).Aggregate(
            Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, new Usage(10, 1))).WaitFor(allHaveBegun).Send(SseEvents.TextStart()),
            (script, _) => script.Send(SseEvents.TextDelta(new string('x', 320)))).Hang();
    }

    /// <summary>1.6 MB: half a million tokens, 0.10 USD where all of them are read from the cache and 2 USD where none is.</summary>
    private static readonly string LargePrompt = new('p', 1_600_000);

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Streams_with_large_prompts_are_held_for_by_the_prompt_however_little_calls_have_cost_so_far(int seed)
    {
        const int Streams = 16;
        var allAreJudged = new Gate();
        var dear = false;
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Volatile.Read(ref dear)
            ? Script.Begin.WaitFor(allAreJudged).Then(Answers.Stream(CcpUnderTest.Model, ["hi"], new Usage(Input: 500_000, Output: 10)))
            : Answers.Stream(CcpUnderTest.Model, ["hi"], new Usage(Input: 10, Output: 10)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.5", change: setup => setup.Billing = """overdraft = "0.005" """);
        for (var call = 0; call < 10; call++)
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(ccp, stream: true));
        }

        Volatile.Write(ref dear, true);
        var calls = Enumerable.Range(0, Streams).Select(_ => ccp.AskAsync(text: LargePrompt, maxTokens: 450)).ToArray();
        while (upstream.Requests.Count - 10 + calls.Count(call => call.IsCompleted) < Streams)
        {
            await Task.Yield();
        }

        allAreJudged.Open();
        var answers = await Task.WhenAll(calls);
        await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()));
        var next = await AskAsync(ccp, stream: true);
        await ccp.StopAsync();

        // Of half a dollar, four times 0.10 can be held. One that is ended before its answer begins is told so with a 402.
        var admitted = upstream.Requests.Count - 10;
        Assert.True(admitted == 4, $"{seed}: {admitted} streams ran at once.");
        Assert.Equal(Streams - admitted, answers.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests));
        Assert.Equal(HttpStatusCode.PaymentRequired, next);
        AssertBounded(ccp, balance: "0.5", streamsInFlight: admitted, perStream: new NanoUsd(2 * ((500_000 * 2_000) + (10 * 10_000))));
        foreach (var answer in answers)
        {
            answer.Dispose();
        }
    }

    [Theory]
    [InlineData("0.1", 200)]
    [InlineData("0.005", 402)]
    public async Task A_cached_conversation_goes_on_to_the_end_of_the_balance_and_is_refused_where_it_would_end_at_its_first_event(string overdraft, int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], new Usage(Input: 100, Output: 50, CacheRead: 495_000)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.05", change: setup => setup.Billing = $"overdraft = \"{overdraft}\"");

        using var answer = await ccp.AskAsync(text: LargePrompt, maxTokens: 450);
        if (status == 402)
        {
            await SaidNo.AssertAsync(answer, 402, "billing_error", "0.05 USD does not cover the least that this call comes to", shouldRetry: "false");
            Assert.Empty(upstream.Requests);
            return;
        }

        Assert.EndsWith(SseEvents.MessageStop, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await ccp.StopAsync();
        Assert.Equal(CcpSetup.Dollars("-0.0504"), ccp.Store.BalanceOfAlice);
    }

    [Fact]
    public async Task A_top_up_in_mid_stream_lets_it_go_on()
    {
        var toppedUp = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, new Usage(10, 1))).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta(new string('x', 6_400)))
            .WaitFor(toppedUp)
            .Send(SseEvents.TextDelta(new string('x', 6_400))).Send(SseEvents.BlockStop()).Send(SseEvents.MessageDelta(new Usage(10, 4_000))).Send(SseEvents.MessageStop));

        // 2000 tokens of output are 0.04 USD: under water already when the top-up comes, and twice that in the end.
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.03", change: setup => setup.Billing = """overdraft = "0.02" """);

        using var answer = await ccp.AskAsync();
        var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[6_400]);
        await ccp.TopUpAsync("alice", "1");
        toppedUp.Open();
        using var rest = new StreamReader(body);

        Assert.EndsWith(SseEvents.MessageStop, await rest.ReadToEndAsync(), StringComparison.Ordinal);
        await ccp.StopAsync();
        Assert.Equal(new NanoUsd(-80_040_000), Assert.Single(ccp.Store.Charges).Amount);
        Assert.Equal(CcpSetup.Dollars("1.03") - new NanoUsd(80_040_000), ccp.Store.BalanceOfAlice);
    }

    [Theory]
    [InlineData("DELETE", null, HttpStatusCode.Unauthorized)]
    [InlineData("PUT", """{"disabled":true}""", HttpStatusCode.Forbidden)]
    [InlineData("PUT", """{"resetToken":true}""", HttpStatusCode.Unauthorized)]
    public async Task A_call_in_progress_is_finished_and_paid_whatever_becomes_of_its_user_and_the_next_is_refused(string method, string? change, HttpStatusCode next)
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Call)).WaitFor(goOn).Send(SseEvents.MessageDelta(Call)).Send(SseEvents.MessageStop));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.More =
            $"""
            [[user]]
            name = "root"
            admin = true
            token_sha256 = "{CcpSetup.HashOf(Root)}"
            """);
        var token = (await AdministerAsync(ccp, HttpMethod.Post, "/admin/users", """{"username":"bob","initialBalance":50}""")).GetProperty("token").GetString()!;

        using var answer = await ccp.AskAsync(token: token);
        var changed = await AdministerAsync(ccp, HttpMethod.Parse(method), "/admin/users/bob", change);
        using var refused = await ccp.AskAsync(token: token);
        goOn.Open();
        var text = await answer.Content.ReadAsStringAsync();

        Assert.EndsWith(SseEvents.MessageStop, text, StringComparison.Ordinal);
        Assert.Equal(next, refused.StatusCode);
        if (changed.TryGetProperty("token", out var fresh) && fresh.GetString() is { } newToken)
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(ccp, stream: true, newToken));
        }

        await ccp.StopAsync();
        Assert.All(ccp.Store.Charges, charge => Assert.Equal(-CallCharge, charge.Amount));
        Assert.Equal(ccp.Store.Charges[^1].Reference, answer.Headers.GetValues("x-ccp-request-id").Single());
        Assert.Empty(ccp.Store.OpenHolds);
    }

    [Fact]
    public async Task A_call_that_is_not_streamed_is_refused_when_balance_and_overdraft_do_not_cover_all_it_may_cost()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", Call));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.05", change: setup => setup.Billing = """overdraft = "0.005" """);

        // 8000 tokens of answer may come to 0.16 USD; 1000 to 0.02.
        using var refused = await ccp.AskAsync(stream: false, maxTokens: 8_000);
        using var served = await ccp.AskAsync(stream: false, maxTokens: 1_000);

        Assert.Equal(402, (int)refused.StatusCode);
        Assert.Contains("not streamed", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
    }

    [Theory]
    [InlineData("", 200)]
    [InlineData(""" "speed":"fast", """, 402)]
    public async Task A_call_that_is_not_streamed_is_held_for_at_the_speed_it_asks_for(string asked, int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message("claude-opus-5-5", "hi", Call));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.05", change: setup => setup.Billing = """overdraft = "0.005" """);

        // Opus 5.5: 1000 tokens of answer may come to 0.044 USD in the US; fast, to twice that.
        var body = $$"""{"model":"claude-opus-5-5",{{asked}}"max_tokens":1000,"messages":[{"role":"user","content":"hello"}]}""";
        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages", body: body));

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("""{"type":"document","source":{"type":"text","media_type":"text/plain","data":"TEXT"}}""")]
    [InlineData("""{"type":"search_result","source":"https://a.example","title":"t","content":[]},{"type":"tool_use","id":"t","name":"write","input":{"data":"TEXT"}}""")]
    [InlineData("""{"type":"tool_use","id":"t","name":"write","input":{"source":{"type":"base64","data":"TEXT"}}}""")]
    public async Task Text_that_looks_like_a_picture_is_held_for_as_text(string content)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", new Usage(Input: 500_000, Output: 10)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.01");

        // Half a million tokens: 2 USD and more, where 1.01 can be spent.
        var body = $$"""{"model":"{{CcpUnderTest.Model}}","max_tokens":16,"messages":[{"role":"user","content":[{{content.Replace("TEXT", new string('a', 1_600_000), StringComparison.Ordinal)}}]}]}""";
        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages", body: body));

        Assert.Equal(402, (int)answer.StatusCode);
        Assert.Empty(upstream.Requests);
    }

    /// <summary>Served ≤ balance + overdraft + one event per stream in flight.</summary>
    private static void AssertBounded(CcpUnderTest ccp, string balance, int streamsInFlight, NanoUsd perStream)
    {
        var charges = ccp.Store.Charges;
        var served = charges.Aggregate(NanoUsd.Zero, (sum, charge) => sum - charge.Amount);
        var bound = CcpSetup.Dollars(balance) + Overdraft + new NanoUsd(perStream.Value * streamsInFlight);
        Assert.True(served <= bound, $"{served} served, {bound} allowed.");
        TestContext.Current.TestOutputHelper?.WriteLine($"served {served} of {bound} allowed, {streamsInFlight} streams in flight");
        Assert.Equal(CcpSetup.Dollars(balance) - served, ccp.Store.BalanceOfAlice);
        Assert.Equal(charges.Count, charges.Select(charge => charge.Reference).Distinct().Count());
        Assert.Empty(ccp.Store.OpenHolds);
    }

    private static async Task<HttpStatusCode> AskAsync(CcpUnderTest ccp, bool stream, string token = CcpUnderTest.Alice)
    {
        using var answer = await ccp.AskAsync(stream, text: Prompt, token: token, maxTokens: 450);
        await answer.Content.ReadAsStringAsync();
        return answer.StatusCode;
    }

    private static async Task<JsonElement> AdministerAsync(CcpUnderTest ccp, HttpMethod method, string target, string? body)
    {
        using var request = ccp.Request(method, target, Root, body);
        using var answer = await ccp.SendAsync(request);
        var json = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, json);
        return JsonDocument.Parse(Encoding.UTF8.GetBytes(json)).RootElement;
    }
}
