using System.Net;
using System.Net.Sockets;
using System.Text;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>When ccp says no, and what it does and does not do then. What each no looks like is in <see cref="RefusalTableTests"/>.</summary>
public sealed class RefusalTests
{
    private const string SomebodyElse = "7b1c1d6e-0f0e-4b43-8f6b-2a7a9d2f6c01";

    [Theory]
    [InlineData(null)]
    [InlineData(SomebodyElse)]
    [InlineData("not even a token")]
    public async Task A_stranger_is_refused_before_a_byte_of_the_body_is_read(string? token)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0");

        // A large body is announced, and none comes: whoever waits for it waits for ever.
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, ccp.Port);
        var stream = connection.GetStream();
        var authorization = token is null ? "" : $"Authorization: Bearer {token}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"));
        using var reader = new StreamReader(stream);

        Assert.Equal("HTTP/1.1 401 Unauthorized", await reader.ReadLineAsync());
        var head = "";
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            head += line + "\n";
        }

        Assert.Contains("x-should-retry: false", head, StringComparison.Ordinal);
        Assert.Empty(upstream.Requests);
    }

    [Theory]
    [InlineData("/v1/messages?beta=true\rX-Evil:1")]
    [InlineData("/v1/messages?beta=\t")]
    [InlineData("/v1/messages?\u0001")]
    [InlineData("/v1/messages?beta=true\u007f")]
    [InlineData("/v1/messages\r")]
    public async Task A_control_character_in_the_address_reaches_no_upstream(string target)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", new Usage(10, 10)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, ccp.Port);
        var stream = connection.GetStream();
        var body = CcpUnderTest.Body(stream: false);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {CcpUnderTest.Alice}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 400 Bad Request", answer, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"invalid_request_error\"", answer, StringComparison.Ordinal);
        Assert.Empty(upstream.Requests);
    }

    [Theory]
    [InlineData("authorization", "Bearer " + CcpUnderTest.Alice)]
    [InlineData("authorization", "bearer 0A6BF2B8-54C0-4A5B-9D2C-6F0F5A0C1A11")]
    [InlineData("x-api-key", CcpUnderTest.Alice)]
    [InlineData("x-auth-token", CcpUnderTest.Alice)]
    public async Task A_token_is_known_in_each_of_its_three_headers(string header, string value)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.CountTokens(1));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0");

        using var request = ccp.Request(HttpMethod.Post, "/v1/messages/count_tokens", token: null, CcpUnderTest.Body());
        request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await ccp.SendAsync(request);

        Assert.True(answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task An_unknown_model_may_be_charged_as_a_known_one_when_the_operator_says_so()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream("claude-opus-9", ["hi"], new Usage(10, 10)));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Billing = """unknown_model = "claude-opus-5-5" """);

        using var answer = await ccp.AskAsync(model: "claude-opus-9");
        await answer.Content.ReadAsStringAsync();
        await ccp.StopAsync();

        // 10 × 4 and 10 × 20 millionths, twice.
        Assert.Equal(-480_000, Assert.Single(ccp.Store.Charges).Amount.Value);
    }

    [Fact]
    public async Task An_answer_that_could_not_be_metered_is_refused()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ =>
            Script.Whole(200, Encoding.UTF8.GetBytes("gzip, so to speak"), ("content-type", "application/json"), ("content-encoding", "gzip")));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync(stream: false);

        await SaidNo.AssertAsync(answer, 502, "api_error", word: "encoding", shouldRetry: "false");
    }

    [Fact]
    public async Task Without_a_key_for_the_lane_the_operator_is_named_as_the_one_to_help()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Environment.Clear());

        using var answer = await ccp.AskAsync();

        await SaidNo.AssertAsync(answer, 503, "api_error", word: "operator", shouldRetry: "false");
    }

    [Fact]
    public async Task A_call_whose_answer_has_not_begun_when_ccp_stops_is_told_to_ask_again_and_costs_nothing()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Stall());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Drain = "1s");

        var call = ccp.AskAsync();
        await upstream.NextAsync();
        await ccp.StopAsync();
        using var answer = await call;

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal("5", answer.Headers.GetValues("retry-after").Single());
        Assert.Contains("restarted", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(ccp.Store.Charges);
    }
}
