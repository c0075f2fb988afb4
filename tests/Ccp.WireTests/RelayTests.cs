using System.Net;
using System.Text;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>What crosses, in bytes, both ways.</summary>
public sealed class RelayTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    public static TheoryData<string> Tapes => [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Tapes"), "*.sse").Select(path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Tapes))]
    public async Task A_stream_reaches_the_client_byte_for_byte(string name)
    {
        var tape = await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "Tapes", name));
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Tape(tape, 1, tape.Length / 3, tape.Length / 2));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/event-stream; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(tape, await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task The_upstream_gets_the_very_bytes_and_the_query_that_the_client_sent()
    {
        const string Odd = """{ "model" : "claude-sonnet-5-5","max_tokens":1e1,  "unknown":{"é":[1,{"x":null}]}, "messages":[{"role":"user","content":"\u00e9 😀\n"}] , "stream":true }""";
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var refused = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages?beta=true&x=%2F%7e+a", body: Odd));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);

        var sent = Odd.Replace("1e1", "10", StringComparison.Ordinal);
        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages?beta=true&x=%2F%7e+a", body: sent));
        await answer.Content.ReadAsByteArrayAsync();

        var arrived = Assert.Single(upstream.Requests);
        Assert.Equal("/v1/messages?beta=true&x=%2F%7e+a", arrived.Target);
        Assert.Equal(Encoding.UTF8.GetBytes(sent), arrived.Body);
    }

    [Fact]
    public async Task An_event_reaches_the_client_before_the_upstream_goes_on()
    {
        var seen = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small))
            .WaitFor(seen)
            .Send(SseEvents.MessageDelta(Small)).Send(SseEvents.MessageStop));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();
        await using var body = await answer.Content.ReadAsStreamAsync();
        var first = new byte[SseEvents.MessageStart(CcpUnderTest.Model, Small).Length];
        await body.ReadExactlyAsync(first);
        seen.Open();

        Assert.StartsWith("event: message_start", Encoding.UTF8.GetString(first), StringComparison.Ordinal);
        using var rest = new StreamReader(body);
        Assert.EndsWith("message_stop\"}\n\n", await rest.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_client_s_credentials_stay_and_the_lane_s_go()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Lane = """forward_headers = ["x-lane-wants-this"]""");

        using var request = ccp.Request(HttpMethod.Post, "/v1/messages?beta=true", body: CcpUnderTest.Body());
        (string Name, string Value)[] crossing =
        [
            ("anthropic-version", "2026-10-21"), ("anthropic-beta", "one,two"), ("anthropic-dangerous-direct-browser-access", "true"),
            ("user-agent", "claude-cli/2.1.330 (external, sdk-cli)"), ("x-app", "cli"), ("x-stainless-lang", "js"), ("x-claude-code-session-id", "s-1"),
            ("accept", "application/json"), ("x-lane-wants-this", "yes"),
        ];
        (string Name, string Value)[] staying =
        [
            ("x-api-key", CcpUnderTest.Alice), ("x-auth-token", CcpUnderTest.Alice), ("cookie", "a=b"), ("x-ccp-token", CcpUnderTest.Alice), ("x-forwarded-for", "10.1.1.1"),
            ("forwarded", "for=10.1.1.1"), ("x-real-ip", "10.1.1.1"), ("x-custom-vpn", "secret"), ("proxy-authorization", "Basic eA=="), ("te", "trailers"),
        ];
        foreach (var (name, value) in crossing.Concat(staying))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.TryAddWithoutValidation("accept-encoding", "gzip, br");
        using var answer = await ccp.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();

        var arrived = Assert.Single(upstream.Requests);
        Assert.All(crossing, header => Assert.Equal(header.Value, arrived.Header(header.Name)));
        Assert.All(staying.Where(header => header.Name != "x-api-key"), header => Assert.Empty(arrived.HeaderValues(header.Name)));
        Assert.Equal(CcpUnderTest.TeamKey, arrived.Header("x-api-key"));
        Assert.Empty(arrived.HeaderValues("authorization"));
        Assert.Equal("identity", arrived.Header("accept-encoding"));
        Assert.Empty(arrived.HeaderValues("traceparent"));
        Assert.DoesNotContain(arrived.Headers, header => header.Value.Contains(CcpUnderTest.Alice, StringComparison.Ordinal));
        string[] expected = [.. crossing.Select(header => header.Name), "x-api-key", "accept-encoding", "content-type", "content-length", "host"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), arrived.Headers.Select(header => header.Name.ToLowerInvariant()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_lane_may_carry_its_key_in_the_other_header()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Lane = """header = "authorization" """);

        using var answer = await ccp.AskAsync();
        await answer.Content.ReadAsByteArrayAsync();

        Assert.Equal($"Bearer {CcpUnderTest.TeamKey}", Assert.Single(upstream.Requests).Header("authorization"));
        Assert.Empty(upstream.Requests[0].HeaderValues("x-api-key"));
    }

    [Fact]
    public async Task What_describes_the_operator_or_the_hop_is_not_returned()
    {
        (string, string)[] headers =
        [
            ("request-id", "req_upstream"), ("anthropic-ratelimit-requests-remaining", "3"), ("anthropic-organization-id", "org"), ("set-cookie", "a=b"), ("server", "nginx"), ("via", "1.1 x"),
            ("alt-svc", "h3"), ("cf-ray", "1"), ("x-should-retry", "true"), ("x-new-header-of-tomorrow", "kept"), ("x-ccp-request-id", "forged"),
        ];
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", Small, headers));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync(stream: false);
        var names = answer.Headers.Concat(answer.Content.Headers).ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(",", header.Value));

        Assert.Equal("req_upstream", names["request-id"]);
        Assert.Equal("kept", names["x-new-header-of-tomorrow"]);
        Assert.Equal("true", names["x-should-retry"]);
        Assert.StartsWith("req_", names["x-ccp-request-id"], StringComparison.Ordinal);
        string[] dropped = ["anthropic-ratelimit-requests-remaining", "anthropic-organization-id", "set-cookie", "server", "via", "alt-svc", "cf-ray"];
        Assert.All(dropped, name => Assert.DoesNotContain(name, names.Keys));
    }

    [Fact]
    public async Task A_plain_answer_keeps_its_bytes()
    {
        var script = Answers.Message(CcpUnderTest.Model, "héllo", Small);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => script);
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync(stream: false);

        Assert.Equal(script.Body, await answer.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")]
    [InlineData(404, "not_found_error", "model: claude-nothing")]
    [InlineData(413, "request_too_large", "Request exceeds the maximum size")]
    [InlineData(429, "rate_limit_error", "Number of requests has exceeded your rate limit")]
    [InlineData(500, "api_error", "Internal server error")]
    [InlineData(529, "overloaded_error", "Overloaded")]
    public async Task What_the_upstream_says_is_passed_on_with_its_status_and_costs_nothing(int status, string type, string message)
    {
        var script = Answers.Error(status, type, message, ("retry-after", "17"), ("x-should-retry", "true"));
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => script);
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("17", answer.Headers.GetValues("retry-after").Single());
        Assert.Equal("true", answer.Headers.GetValues("x-should-retry").Single());
        Assert.Equal(script.Body, await answer.Content.ReadAsByteArrayAsync());
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
        Assert.Empty(ccp.Store.OpenHolds);
    }

    [Theory]
    [InlineData("/v1/messages/count_tokens", "/v1/messages/count_tokens")]
    [InlineData("/api/anthropic/v1/messages/count_tokens?beta=true", "/v1/messages/count_tokens?beta=true")]
    public async Task Counting_tokens_is_free_even_with_nothing_in_the_account(string asked, string arrives)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.CountTokens(42));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0");

        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, asked, body: """{"model":"claude-nobody-prices-this","messages":[]}"""));

        Assert.Equal("""{"input_tokens":42}""", await answer.Content.ReadAsStringAsync());
        Assert.Equal(arrives, Assert.Single(upstream.Requests).Target);
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
    }

    [Theory]
    [InlineData("/v1/models?limit=1000")]
    [InlineData("/v1/models/claude-opus-5-5")]
    public async Task The_models_are_the_upstream_s(string target)
    {
        var script = Answers.Models("claude-opus-5-5");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => script);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0");

        using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Get, target));

        Assert.Equal(script.Body, await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal(target, Assert.Single(upstream.Requests).Target);
        Assert.Equal(CcpUnderTest.TeamKey, upstream.Requests[0].Header("x-api-key"));
    }

    [Theory]
    [InlineData("HEAD", "/")]
    [InlineData("HEAD", "/api/hello")]
    [InlineData("GET", "/api/hello")]
    [InlineData("HEAD", "/api/anthropic/api/hello")]
    public async Task A_client_may_warm_its_connection_up_without_a_token(string method, string target)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0");

        using var answer = await ccp.SendAsync(ccp.Request(new HttpMethod(method), target, token: null));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(upstream.Requests);
    }

    [Theory]
    [InlineData("POST", "/v1/messages/batches", 404)]
    [InlineData("POST", "/v1/files", 404)]
    [InlineData("GET", "/v1/messages", 405)]
    [InlineData("GET", "/v1/models/..%2Fmessages", 404)]
    [InlineData("POST", "/v1/messages/", 404)]
    [InlineData("POST", "/v1%2Fmessages", 404)]
    public async Task What_could_not_be_billed_is_not_passed_on(string method, string target, int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.SendAsync(ccp.Request(new HttpMethod(method), target, body: method == "POST" ? "{}" : null));

        Assert.Equal(status, (int)answer.StatusCode);
        using var error = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("error", error.RootElement.GetProperty("type").GetString());
        Assert.Empty(upstream.Requests);
    }
}
