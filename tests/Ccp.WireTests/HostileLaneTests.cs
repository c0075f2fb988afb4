using System.IO.Compression;
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

    /// <summary>What ccp cannot look into may repeat its key, or speak of its operator's credit.</summary>
    [Theory]
    [InlineData(400, 502, "answered with status 400 in an encoding")]
    [InlineData(429, 502, "answered with status 429 in an encoding")]
    [InlineData(529, 502, "answered with status 529 in an encoding")]
    [InlineData(401, 503, "credential was refused")]
    [InlineData(403, 503, "credential was refused")]
    public async Task An_error_in_an_encoding_is_not_passed_on(int status, int told, string word)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
            Script.Whole(status, Zipped($"Your credit balance is too low, {request.Header("x-api-key")}"), ("content-type", "application/json"), ("content-encoding", "gzip")));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, told, "api_error", word, shouldRetry: "false");
        Assert.Empty(answer.Content.Headers.ContentEncoding);
    }

    [Theory]
    [InlineData(64 * 1024)]
    [InlineData((64 * 1024) + 1)]
    public async Task An_error_too_long_to_be_looked_at_whole_is_not_passed_on(int bytes)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Head(400, ("content-type", "text/plain")).Send(new string('x', bytes)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();

        if (bytes <= 64 * 1024)
        {
            Assert.Equal(400, (int)answer.StatusCode);
            Assert.Equal(bytes, (await answer.Content.ReadAsByteArrayAsync()).Length);
        }
        else
        {
            await SaidNo.AssertAsync(answer, 502, "api_error", "more than 65536 bytes", shouldRetry: "false");
        }
    }

    /// <summary>A gateway on this host wants to see some key, and says its own name in its errors.</summary>
    [Fact]
    public async Task An_error_that_happens_to_hold_a_key_too_short_to_be_a_secret_is_passed_on()
    {
        const string Error = """{"error":"model not found, see https://ollama.com/library"}""";
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Json(404, Error));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Environment["DEFAULT_ANTHROPIC_API_KEY"] = "ollama");

        using var answer = await ccp.AskAsync();

        Assert.Equal(404, (int)answer.StatusCode);
        Assert.Equal(Error, await answer.Content.ReadAsStringAsync());
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

    private static byte[] Zipped(string text)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionMode.Compress))
        {
            zip.Write(Encoding.UTF8.GetBytes(text));
        }

        return bytes.ToArray();
    }
}
