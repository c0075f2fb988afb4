using System.Net;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary><c>auth.mode = "local"</c>: one user of this host without a token, metered as all are and not charged.</summary>
public sealed class LocalModeTests
{
    private const string Boss = "5c1d7f0e-9a53-4b7c-8d26-e1f4a90b3c72";
    private const string Login = "Bearer sk-ant-oat01-login-of-a-subscriber";
    private const string ZaiKey = "zai-key-that-must-stay-inside";
    private const string Haiku = "claude-haiku-4-5";

    /// <summary>Costs 0.0002 USD: 25 × 2 and 15 × 10 millionths.</summary>
    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Fact]
    public async Task A_call_without_a_token_is_served_metered_and_not_charged()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: IsLocal);
        Assert.Contains("auth.mode is local: whoever reaches ccp from its own host may call without a token, as the user local", ccp.Log, StringComparison.Ordinal);

        // What stands where others show their token is not looked at: made up, somebody's, or none.
        foreach (var token in new[] { null, "made-up", CcpUnderTest.Alice, Boss })
        {
            await ServeAsync(ccp, token);
        }

        // The same user after a restart.
        await ccp.StopAsync();
        await ccp.RunAsync();
        await ServeAsync(ccp, token: null);
        await ccp.StopAsync();
        await ccp.RunAsync();

        Assert.All(upstream.Requests, request => Assert.Equal((CcpUnderTest.TeamKey, null), (request.Header("x-api-key"), request.Header("authorization"))));
        var (status, usage) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/usage?username=local");
        var used = usage.GetProperty("local");
        Assert.Equal((200, 5, 125, "0", "0.001"), (status, used.GetProperty("requests").GetInt32(), used.GetProperty("inputTokens").GetInt32(), Digits(used, "costDollars"), Digits(used, "upstreamCostDollars")));
        var (_, requests) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/requests?username=local");
        Assert.Equal(5, requests.GetArrayLength());

        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
        Assert.Empty(ccp.Store.OpenHolds);
        Assert.Equal(50_000_000_000, ccp.Store.BalanceOfAlice.Value);
        Assert.Equal(
            Enumerable.Repeat("local streaming 0", 5),
            UsageLines.Completions(ccp).Select(line => $"{line.GetProperty("user")} {line.GetProperty("reason")} {line.GetProperty("charge_usd")}"));
    }

    [Fact]
    public async Task The_header_of_its_own_still_names_a_user_who_pays()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: IsLocal);

        using var answer = await SendAsync(ccp, ("x-ccp-token", CcpUnderTest.Alice));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsStringAsync();

        await ccp.StopAsync();
        Assert.Equal(-400_000, Assert.Single(ccp.Store.Charges).Amount.Value);
        Assert.Equal("alice", Assert.Single(UsageLines.Completions(ccp)).GetProperty("user").GetString());
    }

    [Fact]
    public async Task A_lane_that_passes_logins_on_gets_the_client_s_and_another_lane_its_key_alone()
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", Small));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message("glm-4.5-air", "hi", Small));
        await using var ccp = await StartWithLoginsAsync(anthropic, zai);

        foreach (var model in new[] { CcpUnderTest.Model, Haiku })
        {
            using var answer = await SendAsync(ccp, model, ("authorization", Login), ("x-api-key", "a key of the client's own"));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var there = Assert.Single(anthropic.Requests);
        Assert.Equal((Login, null), (there.Header("authorization"), there.Header("x-api-key")));
        var elsewhere = Assert.Single(zai.Requests);
        Assert.Equal((null, ZaiKey), (elsewhere.Header("authorization"), elsewhere.Header("x-api-key")));
        Assert.All(elsewhere.Headers, header => Assert.DoesNotContain("login-of-a-subscriber", header.Value, StringComparison.Ordinal));
    }

    /// <summary>No token of ccp's is a login, wherever it stands.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("Bearer " + CcpUnderTest.Alice)]
    [InlineData("Bearer 11111111-2222-4333-8444-555555555555")]
    [InlineData("Basic YTpi")]
    public async Task Without_a_login_that_lane_is_refused(string? authorization)
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await StartWithLoginsAsync(anthropic, zai);

        using var answer = await (authorization is null ? SendAsync(ccp) : SendAsync(ccp, ("authorization", authorization)));

        await SaidNo.AssertAsync(answer, 401, "authentication_error", "leave ANTHROPIC_AUTH_TOKEN unset", shouldRetry: "false");
        Assert.Empty(anthropic.Requests);
    }

    [Theory]
    [InlineData("GET", "/admin/users", 401)]
    [InlineData("GET", "/v1/usage", 401)]
    [InlineData("GET", "/healthz", 401)]
    [InlineData("GET", "/user/balance", 401)]
    [InlineData("GET", "/user/usage", 401)]
    public async Task It_gives_no_right_that_asks_for_a_token(string method, string path, int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: IsLocal);

        using var nobody = await ccp.SendAsync(ccp.Request(new HttpMethod(method), path, token: null));
        using var stranger = await ccp.SendAsync(ccp.Request(new HttpMethod(method), path, token: "made-up"));
        using var admin = await ccp.SendAsync(ccp.Request(new HttpMethod(method), path, token: Boss));

        Assert.Equal((status, status, 200), ((int)nobody.StatusCode, (int)stranger.StatusCode, (int)admin.StatusCode));
    }

    [Fact]
    public async Task Limits_and_models_hold_for_it()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup =>
        {
            IsLocal(setup);
            setup.Limits = "requests_per_minute = 1";
            setup.More += """

                [[user]]
                name = "local"
                models = ["claude-sonnet-*"]
                """;
        });
        await ServeAsync(ccp, token: null);

        using var tooMany = await SendAsync(ccp);
        using var models = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages/count_tokens", token: null, CcpUnderTest.Body(model: Haiku)));

        await SaidNo.AssertAsync(tooMany, 429, "rate_limit_error", "1 request a minute", waitMin: 1, waitMax: 60);
        await SaidNo.AssertAsync(models, 403, "permission_error", $"{Haiku} is not among those", shouldRetry: "false");
        Assert.Single(upstream.Requests);
    }

    [Fact]
    public async Task On_the_unix_socket_the_same_holds()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: IsLocal);

        var (served, _) = await ccp.AdministerAsync(HttpMethod.Post, "/v1/messages", CcpUnderTest.Body(stream: false));
        var (refused, said) = await ccp.AdministerAsync(HttpMethod.Post, "/v1/messages", CcpUnderTest.Body(stream: false), host: "ccp.example");

        Assert.Equal((200, 403), (served, refused));
        Assert.Contains("Host header", said.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Single(upstream.Requests);
    }

    [Fact]
    public async Task Back_with_tokens_every_call_needs_one_again()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: IsLocal);
        await ServeAsync(ccp, token: null);

        // The file alone changes nothing.
        ccp.Setup.Auth = "";
        ccp.RewriteConfig();
        Assert.Equal(["auth.mode"], (await ccp.AdministerAsync(HttpMethod.Post, "/admin/reload")).Json.GetProperty("needRestart").EnumerateArray().Select(name => name.GetString()));
        await ServeAsync(ccp, token: null);

        await ccp.StopAsync();
        await ccp.RunAsync();
        using var answer = await SendAsync(ccp);
        await SaidNo.AssertAsync(answer, 401, "authentication_error", "needs your ccp token", shouldRetry: "false");
        await ServeAsync(ccp, CcpUnderTest.Alice);
        Assert.Equal(2, (await ccp.AdministerAsync(HttpMethod.Get, "/admin/usage?username=local")).Json.GetProperty("local").GetProperty("requests").GetInt32());
    }

    private static void IsLocal(CcpSetup setup)
    {
        setup.Auth = "mode = \"local\"";
        setup.More = $"""
            [[user]]
            name = "boss"
            admin = true
            token_sha256 = "{CcpSetup.HashOf(Boss)}"
            """;
    }

    private static Task<CcpUnderTest> StartWithLoginsAsync(ScriptedUpstreamServer anthropic, ScriptedUpstreamServer zai) => CcpUnderTest.StartAsync(anthropic, change: setup =>
    {
        IsLocal(setup);
        setup.Lane = "header = \"passthrough\"";
        setup.Environment["ZAI_API_KEY"] = ZaiKey;
        setup.More += $"""

            [[lane]]
            name = "zai"
            base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
            requires = ""
            """;
    });

    private static Task<HttpResponseMessage> SendAsync(CcpUnderTest ccp, params (string Name, string Value)[] headers) => SendAsync(ccp, CcpUnderTest.Model, headers);

    private static Task<HttpResponseMessage> SendAsync(CcpUnderTest ccp, string model, params (string Name, string Value)[] headers)
    {
        var request = ccp.Request(HttpMethod.Post, "/v1/messages?beta=true", token: null, CcpUnderTest.Body(model: model));
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return ccp.SendAsync(request);
    }

    private static async Task ServeAsync(CcpUnderTest ccp, string? token)
    {
        using var answer = await ccp.AskAsync(token: token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsStringAsync();
    }

    private static string Digits(JsonElement json, string member) => json.GetProperty(member).GetRawText();
}
