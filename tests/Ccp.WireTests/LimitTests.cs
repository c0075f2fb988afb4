using System.Net;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>What a user may do: how it is counted, what frees it again, what is not counted. How a limit says no is in <see cref="RefusalTableTests"/>.</summary>
public sealed class LimitTests
{
    private const string Boss = "5c1d7f0e-9a53-4b7c-8d26-e1f4a90b3c72";

    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Fact]
    public async Task Sixteen_calls_at_once_is_the_default_and_each_slot_is_held_to_the_end_of_the_body()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => SlowStream(goOn));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = "");

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => ccp.AskAsync()));

        Assert.Equal(16, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.Equal(8, answers.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests));
        goOn.Open();
        await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()));
        Assert.Equal(16, upstream.Requests.Count);
        await AssertAllSlotsAreFreeAsync(ccp, 16);
    }

    public static TheoryData<string> WaysOut => new("complete", "cut", "error", "unreachable model", "malformed", "client leaves", "client leaves early", "refused key", "garbage");

    /// <summary>
    /// Goal: no way a call can end keeps its slot.
    /// Method: far more calls than there are slots end in that way, one after another; then all slots are taken at once.
    /// </summary>
    [Theory]
    [MemberData(nameof(WaysOut))]
    public async Task A_slot_is_free_again_however_the_call_ended(string way)
    {
        const int Slots = 3;
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request => request.BodyText.Contains("normal", StringComparison.Ordinal)
            ? Answers.Stream(CcpUnderTest.Model, ["hi"], Small)
            : way switch
            {
                "cut" => Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Cut(),
                "error" => Answers.Overloaded(),
                "client leaves" => Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Hang(),
                "client leaves early" => Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Hang(),
                "refused key" => Answers.Unauthorized(),
                "garbage" => Script.Whole(200, "\0\0"u8.ToArray(), ("content-type", "application/json"), ("content-encoding", "br")),
                _ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small),
            });
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = $"concurrent = {Slots}");

        for (var call = 0; call < 4 * Slots; call++)
        {
            await EndAsync(ccp, way);
        }

        await AssertAllSlotsAreFreeAsync(ccp, Slots);
    }

    [Fact]
    public async Task An_upstream_that_falls_silent_frees_the_slot_with_the_idle_time()
    {
        var clock = new ManualClock();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request => request.BodyText.Contains("normal", StringComparison.Ordinal)
            ? Answers.Stream(CcpUnderTest.Model, ["hi"], Small)
            : Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Limits, setup.Clock) = ("concurrent = 1", clock));

        using var answer = await ccp.AskAsync();
        var text = answer.Content.ReadAsStringAsync();
        while (!text.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(text, Task.Delay(1));
        }

        Assert.Contains("gave up waiting", await text, StringComparison.Ordinal);
        await AssertAllSlotsAreFreeAsync(ccp, 1);
    }

    [Fact]
    public async Task Counting_tokens_and_the_models_are_limited_by_nothing_that_counts()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
            request.Target.Contains("count_tokens", StringComparison.Ordinal) ? Answers.CountTokens(1)
            : request.Method == "GET" ? Answers.Models("claude-opus-5-5")
            : SlowStream(goOn));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = """
            concurrent = 1
            requests_per_minute = 1
            tokens_per_minute = 1
            spend_per_day = "0.000000001"
            """);
        using var running = await ccp.AskAsync();

        // As /context does it.
        var counts = await Task.WhenAll(Enumerable.Range(0, 26).Select(_ => ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages/count_tokens?beta=true", body: CcpUnderTest.Body()))));
        using var models = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/v1/models"));

        Assert.All(counts, count => Assert.Equal(HttpStatusCode.OK, count.StatusCode));
        Assert.Equal(HttpStatusCode.OK, models.StatusCode);
        goOn.Open();
        await running.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task Token_counts_in_progress_have_room_of_their_own_and_no_more()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
            request.Target.Contains("count_tokens", StringComparison.Ordinal) ? Script.Begin.WaitFor(goOn).Then(Answers.CountTokens(1)) : Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = "concurrent = 1");
        Task<HttpResponseMessage> CountAsync() => ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages/count_tokens?beta=true", body: CcpUnderTest.Body()));

        // Small ones: 32 fit where one of the largest does. Each is there once the upstream has it.
        var counts = new List<Task<HttpResponseMessage>>();
        for (var count = 0; count < 32; count++)
        {
            counts.Add(CountAsync());
            await upstream.NextAsync();
        }

        using var oneMore = await CountAsync();
        await SaidNo.AssertAsync(oneMore, 429, "rate_limit_error", "token counts and model lists in progress", retryAfter: 5);
        using var model = await ccp.AskAsync();
        Assert.Equal(HttpStatusCode.OK, model.StatusCode);
        await model.Content.ReadAsStringAsync();

        goOn.Open();
        var answers = await Task.WhenAll(counts);
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        await Task.WhenAll(answers.Select(answer => answer.Content.ReadAsStringAsync()));
        await ccp.StopAsync();
        Assert.Single(Reasons(ccp), "concurrency_reached");
        Assert.Empty(upstream.Faults);
    }

    [Fact]
    public async Task A_limit_that_is_changed_holds_for_the_next_call()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: WithBoss);
        await SetLimitsAsync(ccp, """{"requestsPerMinute":1}""");
        Assert.Equal(200, await StatusAsync(ccp));
        Assert.Equal(429, await StatusAsync(ccp));

        await SetLimitsAsync(ccp, """{"requestsPerMinute":null}""");
        Assert.Equal(200, await StatusAsync(ccp));
        await SetLimitsAsync(ccp, """{"models":["claude-haiku-*"]}""");
        Assert.Equal(403, await StatusAsync(ccp));
        await SetLimitsAsync(ccp, """{"models":null,"allowFrom":["192.0.2.0/24"]}""");
        Assert.Equal(403, await StatusAsync(ccp));
        await SetLimitsAsync(ccp, """{"allowFrom":["127.0.0.0/8"]}""");
        Assert.Equal(200, await StatusAsync(ccp));

        await ccp.StopAsync();
        Assert.Equal(["streaming", "request_rate_reached", "streaming", "model_not_allowed", "address_not_allowed", "streaming"], Reasons(ccp));
    }

    [Fact]
    public async Task The_list_of_models_holds_those_the_user_may_use()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Models("claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-5-5"));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0", change: setup => setup.AliceKeys = """models = ["claude-haiku-*", "claude-sonnet-5-5"]""");

        using var list = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/v1/models?limit=1000"));
        var body = await list.Content.ReadAsStringAsync();
        using var allowed = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/v1/models/claude-haiku-5-5"));
        using var other = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/v1/models/claude-opus-5-5"));

        using var json = JsonDocument.Parse(body);
        Assert.Equal(["claude-haiku-5-5", "claude-sonnet-5-5"], json.RootElement.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()));
        Assert.Equal("2026-01-01T00:00:00Z", json.RootElement.GetProperty("data")[0].GetProperty("created_at").GetString());
        Assert.Equal("claude-opus-5-5", json.RootElement.GetProperty("first_id").GetString());
        Assert.Equal(body.Length, list.Content.Headers.ContentLength);
        Assert.Equal("application/json", list.Content.Headers.ContentType?.ToString());
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        await SaidNo.AssertAsync(other, 403, "permission_error", "claude-opus-5-5", shouldRetry: "false");
        Assert.Equal(2, upstream.Requests.Count);
    }

    [Theory]
    [InlineData("what is this")]
    [InlineData("""{"data":[{"id":"claude-opus-5-5"}]""")]
    [InlineData(null)]
    public async Task A_list_of_models_that_cannot_be_read_does_not_reach_one_who_may_not_see_all_of_it(string? answer)
    {
        var body = answer ?? $$"""{"data":[{"id":"claude-haiku-5-5","filler":"{{new string('x', 1024 * 1024)}}"}]}""";
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Json(200, body));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.AliceKeys = """models = ["claude-haiku-*"]""");

        using var list = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/v1/models"));

        await SaidNo.AssertAsync(list, 502, "api_error", "cannot read", shouldRetry: "false");
    }

    [Fact]
    public async Task What_the_upstream_says_when_it_will_not_list_its_models_is_passed_on()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.AliceKeys = """models = ["claude-haiku-*"]""");

        using var list = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/v1/models"));

        Assert.Equal(529, (int)list.StatusCode);
    }

    [Theory]
    [InlineData("", "203.0.113.7", 403)]
    [InlineData("""trusted_proxies = ["127.0.0.1"]""", "203.0.113.7", 200)]
    [InlineData("""trusted_proxies = ["127.0.0.1"]""", "203.0.113.7, 198.51.100.1", 403)]
    [InlineData("""trusted_proxies = ["127.0.0.1", "198.51.100.0/24"]""", "203.0.113.7, 198.51.100.1", 200)]
    public async Task An_address_is_believed_from_trusted_proxies_only(string trusted, string forwardedFor, int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Server, setup.AliceKeys) = (trusted, """allow_from = ["203.0.113.0/24"]"""));

        using var request = ccp.Request(HttpMethod.Post, "/v1/messages", body: CcpUnderTest.Body());
        request.Headers.TryAddWithoutValidation("x-forwarded-for", forwardedFor);
        using var answer = await ccp.SendAsync(request);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("", null, 200)]
    [InlineData("""trusted_proxies = ["127.0.0.1"]""", "127.0.0.9", 200)]
    [InlineData("""trusted_proxies = ["127.0.0.1"]""", "unknown", 403)]
    [InlineData("""trusted_proxies = ["127.0.0.1"]""", null, 403)]
    public async Task A_trusted_proxy_that_names_nobody_does_not_lend_its_own_address(string trusted, string? forwardedFor, int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Server, setup.AliceKeys) = (trusted, """allow_from = ["127.0.0.0/8"]"""));

        using var request = ccp.Request(HttpMethod.Post, "/v1/messages", body: CcpUnderTest.Body());
        if (forwardedFor is not null)
        {
            request.Headers.TryAddWithoutValidation("x-forwarded-for", forwardedFor);
        }

        using var answer = await ccp.SendAsync(request);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_administration_is_for_this_host_all_the_same()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup =>
        {
            WithBoss(setup);
            setup.Server = """trusted_proxies = ["127.0.0.1"]""";
        });

        using var request = ccp.Request(HttpMethod.Get, "/admin/users", Boss);
        request.Headers.TryAddWithoutValidation("x-forwarded-for", "203.0.113.7");
        using var answer = await ccp.SendAsync(request);
        using var here = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/admin/users", Boss));

        Assert.Equal((403, 200), ((int)answer.StatusCode, (int)here.StatusCode));
    }

    [Fact]
    public async Task A_stream_that_passes_the_spending_limit_is_ended_between_events_and_the_next_call_is_refused()
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

        // 1000 tokens of output an event: 0.02 USD. 0.10 and 0.05 beyond it pay for seven.
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Billing, setup.Limits) = ("""overdraft = "0.05" """, """spend_per_day = "0.10" """));

        using var answer = await ccp.AskAsync();
        var text = await answer.Content.ReadAsStringAsync();
        using var next = await ccp.AskAsync();

        Assert.EndsWith("}\n\n", text, StringComparison.Ordinal);
        Assert.Contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"billing_error\",\"message\":\"The spending limit", text, StringComparison.Ordinal);
        await SaidNo.AssertAsync(next, 402, "billing_error", "today", shouldRetry: "false");
        await ccp.StopAsync();
        Assert.Equal("spend_limit", Assert.Single(ccp.Store.Requests).Reason);
        Assert.InRange(-Assert.Single(ccp.Store.Charges).Amount.Value, CcpSetup.Dollars("0.15").Value, CcpSetup.Dollars("0.19").Value);
    }

    [Fact]
    public async Task What_was_spent_today_is_known_after_a_restart()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = """spend_per_day = "0.0004" """);
        Assert.Equal(200, await StatusAsync(ccp));
        await ccp.StopAsync();
        await ccp.RunAsync();

        Assert.Equal(402, await StatusAsync(ccp));
    }

    [Fact]
    public async Task One_who_keeps_trying_wrong_tokens_leaves_few_lines_and_is_named_once()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Auth = "failed_attempts_per_minute = 3");

        var statuses = new List<int>();
        for (var attempt = 0; attempt < 10; attempt++)
        {
            using var answer = await ccp.AskAsync(token: "wrong");
            statuses.Add((int)answer.StatusCode);
        }

        // Warming a connection up is no attempt, and asking for the administration with a wrong token is one.
        using var hello = await ccp.SendAsync(ccp.Request(HttpMethod.Head, "/api/hello", token: null));
        using var admin = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/admin/users", "wrong"));
        using var validation = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/validate-token", token: null, """{"token":"wrong"}"""));
        await ccp.StopAsync();

        Assert.Equal([401, 401, 401, 429, 429, 429, 429, 429, 429, 429], statuses);
        Assert.Equal(200, (int)hello.StatusCode);
        Assert.Equal((429, 429), ((int)admin.StatusCode, (int)validation.StatusCode));
        Assert.InRange(int.Parse(admin.Headers.GetValues("retry-after").Single(), System.Globalization.CultureInfo.InvariantCulture), 1, 20);
        Assert.Equal(["token_unknown", "token_unknown", "token_unknown"], Reasons(ccp));
        Assert.Equal(2, ccp.Log.Split("Too many calls without a valid token come from 127.0.0.1").Length);
    }

    private static Script SlowStream(Gate goOn) =>
        Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).WaitFor(goOn).Send(SseEvents.MessageDelta(Small)).Send(SseEvents.MessageStop);

    private static void WithBoss(CcpSetup setup) => setup.More = $"""
        [[user]]
        name = "boss"
        admin = true
        token_sha256 = "{CcpSetup.HashOf(Boss)}"
        """;

    private static async Task SetLimitsAsync(CcpUnderTest ccp, string limits)
    {
        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Put, "/admin/users/alice", Boss, $$"""{"limits":{{limits}}}"""));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<int> StatusAsync(CcpUnderTest ccp)
    {
        using var answer = await ccp.AskAsync(text: "normal");
        await answer.Content.ReadAsStringAsync();
        return (int)answer.StatusCode;
    }

    /// <summary>The reasons in the usage log of calls that are over.</summary>
    private static List<string?> Reasons(CcpUnderTest ccp) => File.ReadLines(Path.Combine(ccp.Home, "logs", "usage.jsonl"))
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Where(line => line.TryGetProperty("reason", out _))
        .Select(line => line.GetProperty("reason").GetString())
        .ToList();

    private static async Task EndAsync(CcpUnderTest ccp, string way)
    {
        using var leaving = new CancellationTokenSource();
        using var request = ccp.Request(HttpMethod.Post, "/v1/messages", body: way == "malformed" ? "{" : CcpUnderTest.Body(model: way == "unreachable model" ? "claude-none" : CcpUnderTest.Model));
        try
        {
            if (way == "client leaves early")
            {
                leaving.CancelAfter(TimeSpan.FromMilliseconds(5));
            }

            // A call that left may still hold its slot for a moment; then this one is turned away, and takes none.
            using var answer = await ccp.SendAsync(request, leaving.Token);
            if (way != "client leaves")
            {
                await answer.Content.ReadAsStringAsync(leaving.Token);
            }
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            // The way out that was asked for.
        }
    }

    /// <summary>All of them can be had at once, before long: a client learns of the end of its answer a moment before the slot is free.</summary>
    private static async Task AssertAllSlotsAreFreeAsync(CcpUnderTest ccp, int slots)
    {
        var until = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, slots).Select(_ => StatusAsync(ccp)));
            if (answers.All(status => status == 200))
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(until) < TimeSpan.FromSeconds(20), $"Slots stay taken: {string.Join(' ', answers)}");
            await Task.Yield();
        }
    }
}
