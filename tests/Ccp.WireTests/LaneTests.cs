using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>Two lanes: what goes where, with what, and what becomes of it when one fails.</summary>
public sealed class LaneTests
{
    private const string Haiku = "claude-haiku-4-5";
    private const string Glm = "glm-4.5-air";
    private const string ZaiKey = "zai-key-that-must-stay-inside";
    private const string Billing = """{"type":"text","text":"x-anthropic-billing-header: cc=1"}""";

    private static readonly Usage Counted = new(Input: 1_000, Output: 100);

    /// <summary>1000 × 0.20 and 100 × 1.10 millionths, twice.</summary>
    private static readonly NanoUsd GlmCharge = new(620_000);

    /// <summary>1000 × 1 and 100 × 5 millionths, twice.</summary>
    private static readonly NanoUsd HaikuCharge = new(3_000_000);

    [Fact]
    public async Task A_license_opens_the_second_lane_while_ccp_runs_and_its_end_closes_it()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai.BaseUrl, licensed: false);

        await PostAsync(ccp);
        await ccp.AdministerAsync(HttpMethod.Post, "/admin/license", $"{{\"pack\":\"{JsonEncodedText.Encode(IssuedLicense.Pack(TimeProvider.System.GetUtcNow()))}\"}}");
        await PostAsync(ccp);
        await ccp.AdministerAsync(HttpMethod.Delete, "/admin/license");
        await PostAsync(ccp);
        await ccp.StopAsync();

        Assert.Equal(2, anthropic.Requests.Count);
        Assert.All(anthropic.Requests, request => Assert.Equal((Body(Haiku, Billing + ","), CcpUnderTest.TeamKey, "cli"), (request.BodyText, request.Header("x-api-key"), request.Header("x-app"))));
        var there = Assert.Single(zai.Requests);
        Assert.Equal((Body(Glm, ""), ZaiKey, null), (there.BodyText, there.Header("x-api-key"), there.Header("authorization")));
        Assert.Equal("/v1/messages?beta=true", there.Target);
        Assert.Equal("2023-06-01", there.Header("anthropic-version"));
        Assert.DoesNotContain(there.Headers, header => header.Name.StartsWith("x-claude", StringComparison.OrdinalIgnoreCase) || header.Name.StartsWith("x-stainless", StringComparison.OrdinalIgnoreCase) || header.Name.Equals("x-app", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(there.Headers, header => header.Value.Contains(CcpUnderTest.Alice, StringComparison.Ordinal) || header.Value.Contains(CcpUnderTest.TeamKey, StringComparison.Ordinal));
        Assert.Equal([-HaikuCharge.Value, -GlmCharge.Value, -HaikuCharge.Value], ccp.Store.Charges.OrderBy(entry => entry.Id).Select(entry => entry.Amount.Value));

        var decisions = UsageLines.All(ccp).Where(line => line.TryGetProperty("event", out _)).ToList();
        Assert.Equal(["license_block", "default", "license_block"], decisions.Select(line => line.GetProperty("decision_reason").GetString()));
        Assert.Equal(["anthropic", "zai", "anthropic"], decisions.Select(line => line.GetProperty("decision").GetString()));
        Assert.Equal("""[{"lane":"zai","reason":"license_block"}]""", decisions[0].GetProperty("rejected").GetRawText());
        Assert.Equal(
            [(new LaneDecision("anthropic", "license_block", "default", "zai=license_block"), "anthropic"), (new LaneDecision("zai", "default"), "zai"), (new LaneDecision("anthropic", "license_block", "default", "zai=license_block"), "anthropic")],
            ccp.Store.Decisions);
        Assert.Equal("x-api-key", UsageLines.Completions(ccp)[1].GetProperty("header_mode").GetString());
        Assert.False(UsageLines.Completions(ccp)[0].TryGetProperty("header_mode", out _));
        NothingLeaked(ccp);
    }

    [Theory]
    [InlineData(500, "fallback")]
    [InlineData(529, "fallback")]
    [InlineData(429, "quota_overshoot")]
    [InlineData(0, "net_fallback")]
    public async Task What_fails_before_its_first_byte_goes_once_to_the_fallback_and_is_charged_there(int status, string word)
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Error(status, "api_error", "no"));
        await using var ccp = await StartAsync(anthropic, status == 0 ? Nowhere() : zai.BaseUrl);

        await PostAsync(ccp);
        await ccp.StopAsync();

        var there = Assert.Single(anthropic.Requests);
        Assert.Equal((Body(Haiku, Billing + ","), CcpUnderTest.TeamKey), (there.BodyText, there.Header("x-api-key")));
        Assert.Equal("/v1/messages?beta=true", there.Target);
        Assert.Equal(status == 0 ? 0 : 1, zai.Requests.Count);
        Assert.Equal(-HaikuCharge, Assert.Single(ccp.Store.Charges).Amount);
        Assert.Empty(ccp.Store.OpenHolds);
        var line = Assert.Single(UsageLines.Completions(ccp));
        Assert.Equal((word, "zai", "anthropic", 1), (line.GetProperty("fallback").GetString(), line.GetProperty("fallback_from").GetString(), line.GetProperty("lane").GetString(), line.GetProperty("retry").GetInt32()));
        Assert.True(line.GetProperty("wasted_retry_ms").GetInt64() >= 0);
        Assert.Equal((new LaneDecision("zai", "default"), "anthropic"), Assert.Single(ccp.Store.Decisions));
        NothingLeaked(ccp);
    }

    /// <summary>Over http the queue of a port is full, over https somebody takes the connection and then speaks no TLS.</summary>
    [Theory]
    [InlineData("http", 0)]
    [InlineData("https", 10)]
    public async Task A_lane_with_which_no_connection_comes_about_in_time_is_left_for_the_fallback(string scheme, int backlog)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog);
        using var queued = new TcpClient();
        await queued.ConnectAsync((IPEndPoint)listener.LocalEndPoint!);
        await using var anthropic = await ServeAsync(Haiku);
        await using var ccp = await StartAsync(anthropic, new Uri($"{scheme}://{listener.LocalEndPoint}"), more: """connect_timeout = "100ms" """);

        await PostAsync(ccp);
        await ccp.StopAsync();

        Assert.Single(anthropic.Requests);
        var line = Assert.Single(UsageLines.Completions(ccp));
        Assert.Equal(("net_fallback", "zai"), (line.GetProperty("fallback").GetString(), line.GetProperty("fallback_from").GetString()));
        Assert.InRange(line.GetProperty("wasted_retry_ms").GetInt64(), 90, 4_000);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(413)]
    public async Task What_the_client_did_wrong_is_told_and_tried_nowhere_else(int status)
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Error(status, "invalid_request_error", "no"));
        await using var ccp = await StartAsync(anthropic, zai.BaseUrl);

        using var answer = await SendAsync(ccp);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Empty(anthropic.Requests);
    }

    [Fact]
    public async Task A_request_that_was_sent_and_then_lost_is_not_sent_again()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Script.Begin.Cut());
        await using var ccp = await StartAsync(anthropic, zai.BaseUrl);

        using var answer = await SendAsync(ccp);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Empty(anthropic.Requests);
        Assert.Single(zai.Requests);
    }

    [Fact]
    public async Task A_dearer_fallback_is_asked_only_where_the_money_is_there()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await StartAsync(anthropic, zai.BaseUrl, more: """
            [[price]]
            model = "claude-haiku-*"
            input = 100000
            output = 500000
            """);

        using var answer = await SendAsync(ccp);
        Assert.Equal(HttpStatusCode.PaymentRequired, answer.StatusCode);
        Assert.Empty(anthropic.Requests);
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
        Assert.Empty(ccp.Store.OpenHolds);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_the_header_is_left_open_the_other_one_is_tried_once_and_what_works_is_remembered(bool stream)
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(request => request.Header("authorization") == $"Bearer {ZaiKey}" ? Answer(request, Glm) : Answers.Unauthorized());
        await using var ccp = await StartAsync(anthropic, zai.BaseUrl);

        await PostAsync(ccp, stream);
        await PostAsync(ccp, stream);
        await ccp.StopAsync();

        Assert.Equal([ZaiKey, null, null], zai.Requests.Select(request => request.Header("x-api-key")));
        Assert.Equal([null, $"Bearer {ZaiKey}", $"Bearer {ZaiKey}"], zai.Requests.Select(request => request.Header("authorization")));
        Assert.Single(zai.Requests.Select(request => request.BodyText).Distinct());
        Assert.Empty(anthropic.Requests);
        Assert.All(UsageLines.Completions(ccp), line => Assert.Equal("authorization", line.GetProperty("header_mode").GetString()));
        Assert.Equal([-GlmCharge.Value, -GlmCharge.Value], ccp.Store.Charges.Select(entry => entry.Amount.Value));
        NothingLeaked(ccp);
    }

    [Fact]
    public async Task A_key_that_both_headers_are_refused_with_is_told_after_two_tries()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Unauthorized());
        await using var ccp = await StartAsync(anthropic, zai.BaseUrl);

        using var answer = await SendAsync(ccp);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(2, zai.Requests.Count);
        Assert.Empty(anthropic.Requests);
    }

    [Fact]
    public async Task Paused_everything_goes_to_the_default_lane()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai.BaseUrl, environment: ("OFFLOAD_PAUSED", "1"));

        await PostAsync(ccp);
        Assert.Single(anthropic.Requests);
        Assert.Empty(zai.Requests);
    }

    [Fact]
    public async Task Tokens_are_counted_where_the_model_goes_and_models_are_listed_by_the_default_lane()
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Models("claude-opus-5-5"));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.CountTokens(7));
        await using var ccp = await StartAsync(anthropic, zai.BaseUrl);

        using var counted = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages/count_tokens?beta=true", body: Body(Haiku, "")));
        using var listed = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/v1/models?limit=1000"));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (counted.StatusCode, listed.StatusCode));
        Assert.Equal(("/v1/messages/count_tokens?beta=true", Body(Glm, "")), (Assert.Single(zai.Requests).Target, zai.Requests[0].BodyText));
        Assert.Equal("/v1/models?limit=1000", Assert.Single(anthropic.Requests).Target);
    }

    [Fact]
    public async Task The_header_that_works_is_remembered_for_each_key()
    {
        const string Bob = "0a6bf2b8-54c0-4a5b-9d2c-6f0f5a0c1b22";
        const string BobsKey = "bobs-key-that-must-stay-inside";
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(request =>
            request.Header("x-api-key") == ZaiKey || request.Header("authorization") == $"Bearer {BobsKey}" ? Answer(request, Glm) : Answers.Unauthorized());
        await using var ccp = await StartAsync(
            anthropic,
            zai.BaseUrl,
            more: $"""

                [[key]]
                name = "bobs"
                lane = "zai"
                value = "env:BOBS_KEY"
                [[user]]
                name = "bob"
                token_sha256 = "{CcpSetup.HashOf(Bob)}"
                billing = false
                key = "bobs"
                """,
            environment: ("BOBS_KEY", BobsKey));
        for (var call = 0; call < 6; call++)
        {
            using var answer = await ccp.AskAsync(stream: false, model: Haiku, token: call % 2 == 0 ? CcpUnderTest.Alice : Bob);
            Assert.Equal(200, (int)answer.StatusCode);
        }

        // Bob's first needed two.
        Assert.Equal(7, zai.Requests.Count);
    }

    /// <summary>205 allows no body: the web server does not take the one that came, and is paid for.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_the_client_s_connection_cannot_take_is_a_cut_that_is_metered_and_settled(bool isSecond)
    {
        const string Json = """{"type":"message","usage":{"input_tokens":5,"output_tokens":5}}""";
        await using var raw = await RawUpstream.StartAsync($"HTTP/1.1 205 Reset Content\r\ncontent-type: application/json\r\ncontent-length: {Json.Length}\r\n\r\n{Json}");
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await CcpUnderTest.StartAsync(raw.BaseUrl, change: setup =>
        {
            setup.Environment["ZAI_API_KEY"] = ZaiKey;
            setup.More = $"""
                [[lane]]
                name = "zai"
                base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
                requires = ""
                {(isSecond ? "" : "[[route]]\nmodel = \"*\"\nlane = \"anthropic\"")}
                """;
        });

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var answer = await ccp.AskAsync(stream: false, model: Haiku);
            await answer.Content.ReadAsByteArrayAsync();
        });
        await ccp.StopAsync();

        Assert.Equal(isSecond ? 1 : 0, zai.Requests.Count);
        Assert.Single(ccp.Store.Charges);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.Equal(("upstream_cut", new TokenUsage { Input = 5, Output = 5 }), (record.Reason, record.Tokens));
        Assert.DoesNotContain("failed inside ccp", ccp.Log, StringComparison.Ordinal);
    }

    private static Task<ScriptedUpstreamServer> ServeAsync(string model) => ScriptedUpstreamServer.StartAsync(request => Answer(request, model));

    private static Script Answer(RecordedRequest request, string model) => request.BodyText.Contains("\"stream\":true", StringComparison.Ordinal)
        ? Answers.Stream(model, ["hi"], Counted)
        : Answers.Message(model, "hi", Counted);

    /// <param name="licensed">False: with the built-in rules. True: the lane asks for no license, which holds for any build.</param>
    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer anthropic, Uri zai, bool licensed = true, string more = "", (string Name, string Value)? environment = null) =>
        CcpUnderTest.StartAsync(anthropic, change: setup =>
        {
            setup.LicenseKeys = licensed ? null : IssuedLicense.Keys;
            setup.Environment["ZAI_API_KEY"] = ZaiKey;
            if (environment is var (name, value))
            {
                setup.Environment[name] = value;
            }

            setup.More = $"""
                [[lane]]
                name = "zai"
                base_url = "{zai.AbsoluteUri.TrimEnd('/')}"
                {(licensed ? "requires = \"\"" : "")}
                {more}
                """;
        });

    private static string Body(string model, string system, bool stream = false) =>
        $$"""{ "model" : "{{model}}","max_tokens":1024,"system":[{{system}}{"type":"text","text":"be kind"}],"messages":[{"role":"user","content":"h\u00e9llo"}],"stream":{{(stream ? "true" : "false")}}}""";

    private static Task<HttpResponseMessage> SendAsync(CcpUnderTest ccp, bool stream = false)
    {
        var request = ccp.Request(HttpMethod.Post, "/v1/messages?beta=true", body: Body(Haiku, Billing + ",", stream));
        request.Headers.Add("anthropic-version", "2023-06-01");
        request.Headers.Add("x-app", "cli");
        request.Headers.Add("x-stainless-os", "Linux");
        request.Headers.Add("x-claude-code-session-id", "session-1");
        return ccp.SendAsync(request);
    }

    private static async Task PostAsync(CcpUnderTest ccp, bool stream = false)
    {
        using var answer = await SendAsync(ccp, stream);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        Assert.DoesNotContain("that-must-stay-inside", text + answer.Headers, StringComparison.Ordinal);
    }

    private static void NothingLeaked(CcpUnderTest ccp)
    {
        var lines = string.Concat(UsageLines.All(ccp).Select(line => line.GetRawText())) + ccp.Log;
        Assert.DoesNotContain("that-must-stay-inside", lines, StringComparison.Ordinal);
        Assert.DoesNotContain(CcpUnderTest.Alice, lines, StringComparison.Ordinal);
    }

    /// <summary>A port that nobody listens on.</summary>
    private static Uri Nowhere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://{listener.LocalEndpoint}");
    }
}
