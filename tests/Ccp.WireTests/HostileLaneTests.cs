using System.Text;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>A lane that means harm, or is careless with what it was sent: its answers move no client elsewhere, and show nobody ccp's key.</summary>
public sealed class HostileLaneTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Theory]
    [InlineData(300)]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_neither_followed_nor_passed_on(int status)
    {
        await using var elsewhere = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Whole(status, "moved"u8.ToArray(), ("location", elsewhere.BaseUrl.AbsoluteUri)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 502, "api_error", "answered with a redirect", shouldRetry: "false");
        Assert.Null(answer.Headers.Location);
        Assert.Empty(elsewhere.Requests);
        await ccp.StopAsync();
        Assert.Empty(ccp.Store.Charges);
    }

    [Fact]
    public async Task What_leads_a_client_elsewhere_or_is_ccp_s_to_say_stays_in_any_answer()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(
            CcpUnderTest.Model, "hi", Small, ("location", "https://elsewhere.example/"), ("refresh", "0; url=https://elsewhere.example/"), ("x-low-balance-warning", "false"), ("x-kept", "yes")));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync(stream: false);

        Assert.True(answer.Headers.Contains("x-kept"));
        Assert.All(new[] { "location", "refresh", "x-low-balance-warning" }, name => Assert.False(answer.Headers.Contains(name), name));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task An_error_that_repeats_ccp_s_key_is_not_passed_on(int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request => Answers.Error(status, "invalid_request_error", $"what is {request.Header("x-api-key")}?"));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 502, "api_error", $"answered with status {status} and repeated the key", shouldRetry: "false");
    }

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    public async Task A_header_that_repeats_ccp_s_key_stays(int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
        {
            (string, string)[] headers = [("x-echo", $"Bearer {request.Header("x-api-key")}"), ("x-kept", "yes")];
            return status == 200 ? Answers.Message(CcpUnderTest.Model, "hi", Small, headers) : Answers.Error(status, "invalid_request_error", "no", headers);
        });
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync(stream: false);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.True(answer.Headers.Contains("x-kept"));
        Assert.False(answer.Headers.Contains("x-echo"));
    }

    [Theory]
    [InlineData("\u001b[31mx-api-key: {key}\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\u001b[31mx-api-key {key}\r\n\r\n")]
    [InlineData("HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n\u001b[31m{key}\r\n")]
    public async Task The_log_does_not_repeat_what_a_lane_says_that_is_no_http(string said)
    {
        await using var upstream = await RawUpstream.StartAsync(said.Replace("{key}", CcpUnderTest.TeamKey, StringComparison.Ordinal));
        await using var ccp = await CcpUnderTest.StartAsync(upstream.BaseUrl);

        using var answer = await ccp.AskAsync(stream: false);
        var text = await answer.Content.ReadAsStringAsync();
        await ccp.StopAsync();

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Contains("could not be reached", ccp.Log, StringComparison.Ordinal);
        Assert.All(new[] { text, ccp.Log, Encoding.Latin1.GetString(File.ReadAllBytes(Path.Combine(ccp.Home, "logs", "usage.jsonl"))) }, where =>
        {
            Assert.DoesNotContain(CcpUnderTest.TeamKey, where, StringComparison.Ordinal);
            Assert.DoesNotContain('\u001b', where);
        });
    }

    [Fact]
    public async Task A_lane_on_this_host_is_reached_past_the_environment_s_proxy()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "The environment of this process is not ccp's alone.");
        await using var proxy = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Environment["http_proxy"] = proxy.BaseUrl.AbsoluteUri);

        using var answer = await ccp.AskAsync();

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Empty(proxy.Requests);
    }

    [Theory]
    [InlineData("/v1/messages/count_tokens")]
    [InlineData("/v1/models")]
    public async Task A_path_that_a_lane_does_not_serve_does_not_close_it_for_messages(string path)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
            request.Path == path ? Answers.Error(501, "api_error", "not implemented") : Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        for (var call = 0; call <= FailingLane.FailuresMax; call++)
        {
            using var refused = await ccp.SendAsync(path == "/v1/models" ? ccp.Request(HttpMethod.Get, path) : ccp.Request(HttpMethod.Post, path, body: CcpUnderTest.Body(stream: false)));
            Assert.Equal(501, (int)refused.StatusCode);
        }

        using var answer = await ccp.AskAsync();
        Assert.Equal(200, (int)answer.StatusCode);
    }
}
