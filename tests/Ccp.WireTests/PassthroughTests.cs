using System.Net;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>A lane that passes on each caller's own login: it goes there and nowhere else, and ccp's token goes nowhere.</summary>
public sealed class PassthroughTests
{
    private const string Login = "Bearer sk-ant-oat01-login-of-a-subscriber";
    private const string ZaiKey = "zai-key-that-must-stay-inside";
    private const string Sonnet = CcpUnderTest.Model;
    private const string Haiku = "claude-haiku-4-5";
    private const string Boss = "5c1d7f0e-9a53-4b7c-8d26-e1f4a90b3c72";

    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Theory]
    [InlineData("POST", "/v1/messages?beta=true")]
    [InlineData("POST", "/v1/messages/count_tokens?beta=true")]
    [InlineData("GET", "/v1/models?limit=1000")]
    public async Task A_caller_s_login_goes_as_it_came_and_the_token_stays(string method, string target)
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(Sonnet, "hi", Small, ("anthropic-ratelimit-tokens-remaining", "7"), ("anthropic-organization-id", "org")));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await StartAsync(anthropic, zai);

        using var answer = await SendAsync(ccp, Login, Sonnet, method, target);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsStringAsync();
        await ccp.StopAsync();

        var there = Assert.Single(anthropic.Requests);
        Assert.Equal((Login, null, "oauth-2025-04-20"), (there.Header("authorization"), there.Header("x-api-key"), there.Header("anthropic-beta")));
        Assert.DoesNotContain(there.Headers, header => header.Name.StartsWith("x-ccp", StringComparison.OrdinalIgnoreCase) || header.Value.Contains(CcpUnderTest.Alice, StringComparison.Ordinal));
        Assert.DoesNotContain(there.Headers, header => header.Value.Contains(CcpUnderTest.TeamKey, StringComparison.Ordinal));

        // The limits are the caller's own; the organisation is told to nobody.
        Assert.Equal("7", answer.Headers.GetValues("anthropic-ratelimit-tokens-remaining").Single());
        Assert.False(answer.Headers.Contains("anthropic-organization-id"));
        NothingIsKept(ccp);
    }

    [Theory]
    [InlineData(401, "authentication_error")]
    [InlineData(403, "permission_error")]
    public async Task A_login_that_the_provider_refuses_is_the_caller_s_to_renew(int status, string type)
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Error(status, type, "OAuth token has expired.", ("www-authenticate", "Bearer")));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await StartAsync(anthropic, zai);

        using var answer = await SendAsync(ccp, Login, Sonnet);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains("OAuth token has expired.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        Assert.Single(anthropic.Requests);
    }

    [Fact]
    public async Task A_rate_limit_of_a_login_is_its_owner_s_to_see_and_no_reason_to_spend_the_team_s_key()
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(Sonnet, "hi", Small));
        await using var house = await ScriptedUpstreamServer.StartAsync(_ => Answers.RateLimited(120));
        await using var ccp = await CcpUnderTest.StartAsync(anthropic, change: setup => setup.More = $"""
            [[lane]]
            name = "house"
            base_url = "{house.BaseUrl.AbsoluteUri.TrimEnd('/')}"
            header = "passthrough"
            [[route]]
            model = "claude-sonnet-*"
            lane = "house"
            fallback = "anthropic"
            """);

        using var answer = await SendAsync(ccp, Login, Sonnet);

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal("120", answer.Headers.GetValues("retry-after").Single());
        Assert.Equal((1, 0), (house.Requests.Count, anthropic.Requests.Count));
    }

    [Fact]
    public async Task What_the_provider_says_to_a_login_is_the_caller_s_to_read_in_an_encoding_too()
    {
        var said = "gzip, so to speak"u8.ToArray();
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Script.Whole(401, said, ("content-type", "application/json"), ("content-encoding", "gzip")));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await StartAsync(anthropic, zai);

        using var answer = await SendAsync(ccp, Login, Sonnet);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(["gzip"], answer.Content.Headers.ContentEncoding);
        Assert.Equal(said, await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Another_lane_gets_its_own_key_and_never_the_login_first_or_as_a_fallback()
    {
        var isDown = true;
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Volatile.Read(ref isDown) ? Answers.Overloaded() : Answers.Message(Haiku, "hi", Small));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Volatile.Read(ref isDown) ? Answers.Message("glm-4.5-air", "hi", Small) : Answers.Overloaded());
        await using var ccp = await StartAsync(anthropic, zai);

        // Anthropic fails, Z.ai takes over; then the other way round.
        using var first = await SendAsync(ccp, Login, Sonnet);
        Volatile.Write(ref isDown, false);
        using var second = await SendAsync(ccp, Login, Haiku);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.Equal([Login, Login], anthropic.Requests.Select(request => request.Header("authorization")));
        Assert.Equal([ZaiKey, ZaiKey], zai.Requests.Select(request => request.Header("x-api-key")));
        Assert.All(zai.Requests, request => Assert.DoesNotContain(request.Headers, header => header.Value.Contains("login-of-a-subscriber", StringComparison.Ordinal) || header.Value.Contains(CcpUnderTest.Alice, StringComparison.Ordinal)));
        await ccp.StopAsync();
        NothingIsKept(ccp);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer ")]
    [InlineData("Basic YTpi")]
    [InlineData("Bearer " + CcpUnderTest.Alice)]
    [InlineData("Bearer " + Boss)]
    [InlineData("Bearer 11111111-2222-4333-8444-555555555555")]
    public async Task Without_a_login_nothing_is_sent_and_a_token_of_ccp_s_is_none(string? authorization)
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await StartAsync(anthropic, zai, route: "");

        using var answer = await SendAsync(ccp, authorization, Sonnet);

        await SaidNo.AssertAsync(answer, 401, "authentication_error", "your own login", shouldRetry: "false");
        Assert.Empty(anthropic.Requests);
        Assert.Empty(zai.Requests);
    }

    [Fact]
    public async Task A_token_that_came_as_the_authorization_is_no_login()
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await StartAsync(anthropic, zai, route: "");

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 401, "authentication_error", "x-ccp-token", shouldRetry: "false");
        Assert.Empty(anthropic.Requests);
    }

    [Fact]
    public async Task Its_429s_are_counted_and_keep_nobody_else_away_and_free_calls_leave_nothing_in_the_store()
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.RateLimited(120));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await StartAsync(anthropic, zai, "[[quota]]\nmodel = \"*\"\nlane = \"anthropic\"\nrolling_tokens = 1000");

        foreach (var target in new[] { "/v1/messages?beta=true", "/v1/messages/count_tokens?beta=true" })
        {
            using var answer = await SendAsync(ccp, Login, Sonnet, target: target);
            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        }

        // They are written behind the calls: the end waits for that.
        await ccp.StopAsync();
        await ccp.RunAsync();
        var (_, report) = await ccp.AdministerAsync(HttpMethod.Get, "/v1/usage");
        var lane = Assert.Single(report.GetProperty("lanes").EnumerateArray());
        Assert.Equal(("anthropic", Sonnet, 1), (lane.GetProperty("lane").GetString(), lane.GetProperty("model").GetString(), lane.GetProperty("tooManyRequests").GetInt32()));
        Assert.False(report.GetProperty("quotas")[0].TryGetProperty("cooldownUntil", out _));
    }

    private const string Route = """
        [[route]]
        model = "claude-sonnet-*"
        lane = "anthropic"
        fallback = "zai"
        """;

    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer anthropic, ScriptedUpstreamServer zai, string route = Route) =>
        CcpUnderTest.StartAsync(anthropic, change: setup =>
        {
            setup.Lane = "header = \"passthrough\"";
            setup.Environment["ZAI_API_KEY"] = ZaiKey;
            setup.More = $"""
                [[lane]]
                name = "zai"
                base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
                requires = ""
                {route}
                [[user]]
                name = "boss"
                admin = true
                token_sha256 = "{CcpSetup.HashOf(Boss)}"
                """;
        });

    private static Task<HttpResponseMessage> SendAsync(CcpUnderTest ccp, string? authorization, string model, string method = "POST", string target = "/v1/messages?beta=true")
    {
        var request = ccp.Request(new HttpMethod(method), target, token: null, method == "POST" ? CcpUnderTest.Body(stream: false, model) : null);
        request.Headers.Add("x-ccp-token", CcpUnderTest.Alice);
        request.Headers.Add("anthropic-beta", "oauth-2025-04-20");
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("authorization", authorization);
        }

        return ccp.SendAsync(request);
    }

    private static void NothingIsKept(CcpUnderTest ccp)
    {
        var files = Directory.GetFiles(ccp.Home, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".sock", StringComparison.Ordinal));
        var all = string.Concat(files.Select(file => System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file)))) + ccp.Log;
        Assert.DoesNotContain("login-of-a-subscriber", all, StringComparison.Ordinal);
        Assert.DoesNotContain(CcpUnderTest.Alice, all, StringComparison.Ordinal);
    }
}
