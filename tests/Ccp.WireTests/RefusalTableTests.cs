using System.Net;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>Every way ccp says no, as clients depend on it: status, type, the exact headers, and a sentence. What the upstream says itself is in <see cref="RelayTests"/>.</summary>
public sealed class RefusalTableTests
{
    private const string Boss = "5c1d7f0e-9a53-4b7c-8d26-e1f4a90b3c72";
    private const string Stranger = "7b1c1d6e-0f0e-4b43-8f6b-2a7a9d2f6c01";

    /// <summary>Charged 0.0004 USD: 25 × 2 and 15 × 10 millionths, twice.</summary>
    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Theory]
    [InlineData(null, "needs your ccp token")]
    [InlineData(Stranger, "not valid")]
    [InlineData("not even a token", "not valid")]
    public async Task A_token_that_is_missing_or_that_nobody_holds(string? token, string word)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync(token: token);

        await SaidNo.AssertAsync(answer, 401, "authentication_error", word, shouldRetry: "false");
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task A_token_that_was_taken_back()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: WithBoss);
        var token = await AddAsync(ccp, "bob");
        await ChangeAsync(ccp, HttpMethod.Delete, "/admin/users/bob", body: null);

        using var answer = await ccp.AskAsync(token: token);

        await SaidNo.AssertAsync(answer, 401, "authentication_error", "no longer", shouldRetry: "false");
    }

    [Fact]
    public async Task A_user_who_is_disabled()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: WithBoss);
        await ChangeAsync(ccp, HttpMethod.Put, "/admin/users/alice", """{"disabled":true}""");

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 403, "permission_error", "disabled", shouldRetry: "false");
    }

    [Fact]
    public async Task A_user_who_has_expired()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.AliceKeys = "expires = 2026-01-31");

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 403, "permission_error", "expired on 2026-01-31", shouldRetry: "false");
    }

    [Fact]
    public async Task An_address_that_the_user_may_not_call_from()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.AliceKeys = """allow_from = ["10.0.0.0/8"]""");

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 403, "permission_error", "127.0.0.1", shouldRetry: "false");
    }

    [Theory]
    [InlineData("origin", "https://evil.example", "Origin header")]
    [InlineData("origin", "null", "Origin header")]
    [InlineData("origin", "http://127.0.0.1", "Origin header")]
    [InlineData("origin", "", "Origin header")]
    [InlineData("host", "evil.example", "Host header")]
    [InlineData("host", "127.0.0.1.evil.example:8082", "Host header")]
    [InlineData("host", "192.168.1.7", "Host header")]
    [InlineData("sec-fetch-site", "cross-site", "Sec-Fetch-Site header")]
    [InlineData("sec-fetch-site", "same-site", "Sec-Fetch-Site header")]
    [InlineData("forwarded", "for=127.0.0.1", "the header forwarded")]
    [InlineData("x-forwarded-for", "127.0.0.1", "the header x-forwarded-")]
    [InlineData("x-forwarded-proto", "http", "the header x-forwarded-")]
    [InlineData("x-real-ip", "127.0.0.1", "the header x-real-ip")]
    [InlineData("via", "1.1 proxy", "the header via")]
    public async Task In_local_mode_what_a_page_or_another_host_may_have_sent(string header, string value, string word)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: IsLocal);

        foreach (var (method, path, token) in new[] { ("POST", "/v1/messages?beta=true", null), ("POST", "/v1/messages/count_tokens", null), ("GET", "/v1/models", null), ("POST", "/v1/messages", CcpUnderTest.Alice) })
        {
            using var answer = await SendLocallyAsync(ccp, method, path, token, (header, value));
            await SaidNo.AssertAsync(answer, 403, "permission_error", word, shouldRetry: "false");
        }

        Assert.Empty(upstream.Requests);
        await ccp.StopAsync();
        Assert.Equal(Enumerable.Repeat("not_from_local_user", 4), UsageLines.Completions(ccp).Select(line => line.GetProperty("reason").GetString()));
    }

    [Theory]
    [InlineData(Stranger)]
    [InlineData("not even a token")]
    public async Task In_local_mode_a_token_that_nobody_holds(string token)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: IsLocal);

        using var answer = await SendLocallyAsync(ccp, "POST", "/v1/messages", token);

        await SaidNo.AssertAsync(answer, 401, "authentication_error", "x-ccp-token is not valid", shouldRetry: "false");
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task In_local_mode_a_local_user_who_is_disabled()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: IsLocal);
        Assert.Equal(200, (await ccp.AdministerAsync(HttpMethod.Put, "/admin/users/local", """{"disabled":true}""")).Status);

        using var answer = await SendLocallyAsync(ccp, "POST", "/v1/messages", token: null);

        await SaidNo.AssertAsync(answer, 403, "permission_error", "The ccp user local is disabled", shouldRetry: "false");
    }

    [Fact]
    public async Task A_balance_that_is_used_up()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0");

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 402, "billing_error", "balance is used up", shouldRetry: "false");
    }

    [Theory]
    [InlineData("""spend_per_day = "0.0004" """, "today")]
    [InlineData("""spend_per_month = "0.0004" """, "this month")]
    public async Task A_spending_limit_that_is_reached(string limit, string word)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = limit);
        await ServeAsync(ccp);

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 402, "billing_error", $"0.0004 USD {word}", shouldRetry: "false");
        Assert.Single(upstream.Requests);
    }

    [Fact]
    public async Task A_spending_limit_that_calls_in_progress_will_reach()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => SlowStream(goOn));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = """spend_per_day = "0.02" """);
        using var first = await ccp.AskAsync();

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 429, "rate_limit_error", "spending limit is spoken for", retryAfter: 5);
        goOn.Open();
        await first.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task Money_that_calls_in_progress_hold()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => SlowStream(goOn));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0.02");
        using var first = await ccp.AskAsync();

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 429, "rate_limit_error", "spoken for by calls in progress", retryAfter: 5);
        goOn.Open();
        await first.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task A_prompt_that_what_is_left_of_a_spending_limit_does_not_cover()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Limits, setup.Billing) = ("""spend_per_day = "0.01" """, """overdraft = "0.01" """));

        // 200 000 tokens are 0.04 USD if the cache has all of them.
        using var answer = await ccp.AskAsync(text: new string('p', 640_000));

        await SaidNo.AssertAsync(answer, 402, "billing_error", "the least that this call comes to (0.04", shouldRetry: "false");
        Assert.Empty(upstream.Requests);
    }

    [Theory]
    [InlineData("/v1/messages")]
    [InlineData("/v1/messages/count_tokens")]
    public async Task A_model_that_the_user_may_not_use(string path)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.AliceKeys = """models = ["claude-haiku-*"]""");

        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, path, body: CcpUnderTest.Body()));

        await SaidNo.AssertAsync(answer, 403, "permission_error", $"{CcpUnderTest.Model} is not among those that ccp allows you (claude-haiku-*)", shouldRetry: "false");
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task A_model_without_a_price()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync(model: "claude-opus-9");

        await SaidNo.AssertAsync(answer, 403, "permission_error", "claude-opus-9 has no price", shouldRetry: "false");
    }

    [Fact]
    public async Task More_calls_at_once_than_allowed()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => SlowStream(goOn));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = "concurrent = 1");
        using var first = await ccp.AskAsync();

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 429, "rate_limit_error", "1 call in progress", retryAfter: 5);
        goOn.Open();
        await first.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task More_requests_than_a_minute_s()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = "requests_per_minute = 2");
        await ServeAsync(ccp);
        await ServeAsync(ccp);

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 429, "rate_limit_error", "2 requests a minute", waitMin: 1, waitMax: 30);
        Assert.Equal(2, upstream.Requests.Count);
    }

    [Fact]
    public async Task More_tokens_than_a_minute_s_that_a_minute_works_off()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = "tokens_per_minute = 40");
        await ServeAsync(ccp);

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 429, "rate_limit_error", "40 tokens a minute", waitMin: 1, waitMax: 2);
    }

    [Fact]
    public async Task More_tokens_than_a_minute_s_that_take_longer()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Limits = "tokens_per_minute = 4");
        await ServeAsync(ccp);

        using var answer = await ccp.AskAsync();

        // 37 of the 40 must drain, at four a minute.
        await SaidNo.AssertAsync(answer, 429, "rate_limit_error", "4 tokens a minute", waitMin: 500, waitMax: 555, shouldRetry: "false");
    }

    [Fact]
    public async Task Too_many_wrong_tokens_from_one_address()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Auth = "failed_attempts_per_minute = 2");
        for (var attempt = 0; attempt < 2; attempt++)
        {
            using var heard = await ccp.AskAsync(token: Stranger);
            Assert.Equal(HttpStatusCode.Unauthorized, heard.StatusCode);
        }

        using var answer = await ccp.AskAsync(token: Stranger);

        await SaidNo.AssertAsync(answer, 429, "rate_limit_error", "without a valid ccp token", waitMin: 1, waitMax: 30);
        await ServeAsync(ccp);
    }

    [Fact]
    public async Task A_lane_that_cannot_be_reached()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        var gone = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        var address = gone.BaseUrl;
        await gone.DisposeAsync();
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.UpstreamUrl = address);

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 503, "api_error", "cannot reach the anthropic lane", retryAfter: 5);
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
    }

    [Fact]
    public async Task A_lane_that_failed_again_and_again_and_is_tried_again_in_a_moment()
    {
        var clock = new ManualClock();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = clock);
        var calls = await FailingLane.UntilPauseAsync(ccp, clock, pauseSeconds: 32);

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 503, "api_error", "has failed several times in a row", waitMin: CcpUnderTest.IsNative ? 1 : 32, waitMax: 32);
        Assert.Equal(calls, upstream.Requests.Count);
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
    }

    [Fact]
    public async Task A_lane_known_to_be_down()
    {
        var clock = new ManualClock();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = clock);
        var calls = await FailingLane.UntilPauseAsync(ccp, clock, pauseSeconds: 60);

        clock.Advance(TimeSpan.FromSeconds(20));
        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 503, "api_error", "The anthropic lane is down", waitMin: CcpUnderTest.IsNative ? 1 : 40, waitMax: 40, shouldRetry: "false");
        Assert.Equal(calls, upstream.Requests.Count);
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
    }

    [Fact]
    public async Task A_store_that_failed()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        ccp.BreakStore();

        using var atTheFirstByte = await ccp.AskAsync();
        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(atTheFirstByte, 503, "api_error", "cannot write its ledger", shouldRetry: "false");
        await SaidNo.AssertAsync(answer, 503, "api_error", "cannot write its ledger", shouldRetry: "false");
        Assert.Single(upstream.Requests);
        ccp.MendStore();
    }

    [Theory]
    [InlineData(401, "invalid x-api-key")]
    [InlineData(403, "your organisation is blocked")]
    [InlineData(400, "Your credit balance is too low to access the Anthropic API.")]
    public async Task The_operator_s_own_key_that_the_upstream_refuses(int status, string message)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Error(status, "authentication_error", message));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();

        var said = await SaidNo.AssertAsync(answer, 503, "api_error", "The proxy's credential was refused", shouldRetry: "false");
        Assert.DoesNotContain(message, said, StringComparison.Ordinal);
        Assert.DoesNotContain(CcpUnderTest.TeamKey, said, StringComparison.Ordinal);
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_is_too_large_whether_its_length_is_announced_or_not(bool announced)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Server = """max_body = "64KiB" """);

        using var request = ccp.Request(HttpMethod.Post, "/v1/messages", body: CcpUnderTest.Body(text: new string('x', 100_000)));
        request.Headers.TransferEncodingChunked = !announced;
        using var answer = await ccp.SendAsync(request);

        await SaidNo.AssertAsync(answer, 413, "request_too_large", "larger than the 65536 bytes");
        Assert.Empty(upstream.Requests);
    }

    [Theory]
    [InlineData("{", "JSON")]
    [InlineData("[]", "object")]
    [InlineData("""{"stream":true}""", "model")]
    [InlineData("""{"model":"a","model":"claude-opus-5-5"}""", "twice")]
    [InlineData("""{"model":"claude-opus-5-5","mod\u0065l":"a"}""", "twice")]
    [InlineData("""{"model":"claude-opus-5-5","stream":true,"stream":false}""", "twice")]
    [InlineData("""{"model":"claude-opus-5-5","max_tokens":1,"max_tokens":2}""", "twice")]
    public async Task A_body_that_cannot_be_read_or_can_be_in_two_ways(string body, string word)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages", body: body));

        await SaidNo.AssertAsync(answer, 400, "invalid_request_error", word);
        Assert.Empty(upstream.Requests);
    }

    [Theory]
    [InlineData("POST", "/v1/messages/batches", 404, "not_found_error")]
    [InlineData("GET", "/v1/messages", 405, "invalid_request_error")]
    public async Task A_path_or_method_that_ccp_does_not_know(string method, string path, int status, string type)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.SendAsync(ccp.Request(new HttpMethod(method), path, body: method == "POST" ? "{}" : null));

        await SaidNo.AssertAsync(answer, status, type, "/v1/messages");
    }

    private static Script SlowStream(Gate goOn) =>
        Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).WaitFor(goOn).Send(SseEvents.MessageDelta(Small)).Send(SseEvents.MessageStop);

    private static void WithBoss(CcpSetup setup) => setup.More = $"""
        [[user]]
        name = "boss"
        admin = true
        token_sha256 = "{CcpSetup.HashOf(Boss)}"
        """;

    private static void IsLocal(CcpSetup setup) => setup.Auth = "mode = \"local\"";

    /// <param name="token">In the header that names a user in local mode.</param>
    private static Task<HttpResponseMessage> SendLocallyAsync(CcpUnderTest ccp, string method, string path, string? token, params (string Name, string Value)[] headers)
    {
        var request = ccp.Request(new HttpMethod(method), path, token: null, method == "POST" ? CcpUnderTest.Body() : null);
        foreach (var (name, value) in token is null ? headers : [.. headers, ("x-ccp-token", token)])
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return ccp.SendAsync(request);
    }

    private static async Task ServeAsync(CcpUnderTest ccp)
    {
        using var answer = await ccp.AskAsync();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsStringAsync();
    }

    private static async Task<string> AddAsync(CcpUnderTest ccp, string name)
    {
        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/admin/users", Boss, $$"""{"username":"{{name}}"}"""));
        using var json = System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return json.RootElement.GetProperty("token").GetString()!;
    }

    private static async Task ChangeAsync(CcpUnderTest ccp, HttpMethod method, string path, string? body)
    {
        using var answer = await ccp.SendAsync(ccp.Request(method, path, Boss, body));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
