using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>Bodies that take their time, and what becomes of their users meanwhile.</summary>
public sealed class SlowBodyTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Theory]
    [InlineData("DELETE", null, 401, "authentication_error", "no longer")]
    [InlineData("PUT", """{"disabled":true}""", 403, "permission_error", "is disabled")]
    [InlineData("PUT", """{"resetToken":true}""", 401, "authentication_error", "no longer")]
    [InlineData("PUT", """{"limits":{"expires":"2020-01-01"}}""", 403, "permission_error", "expired on 2020-01-01")]
    [InlineData("PUT", """{"limits":{"allowFrom":["10.0.0.0/8"]}}""", 403, "permission_error", "may not call from the address 127.0.0.1")]
    [InlineData("PUT", """{"limits":{"models":["claude-haiku-*"]}}""", 403, "permission_error", "is not among those that ccp allows you")]
    public async Task What_becomes_of_a_user_before_the_body_is_there_counts_for_the_call(string method, string? change, int status, string type, string word)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        var (_, added) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/users", """{"username":"bob","initialBalance":50}""");

        using var call = await SlowCall.BeginAsync(ccp, $"authorization: Bearer {added.GetProperty("token").GetString()}");
        Assert.Equal(200, (await ccp.AdministerAsync(HttpMethod.Parse(method), "/admin/users/bob", change)).Status);
        await call.FinishAsync();

        await AssertRefusedAsync(call, status, type, word);
        await ccp.StopAsync();
        Assert.Empty(upstream.Requests);
        Assert.Empty(ccp.Store.Charges);
    }

    [Fact]
    public async Task The_local_user_is_looked_at_again_too()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Auth = "mode = \"local\"");

        using var call = await SlowCall.BeginAsync(ccp, "x-nothing: special");
        Assert.Equal(200, (await ccp.AdministerAsync(HttpMethod.Put, "/admin/users/local", """{"disabled":true}""")).Status);
        await call.FinishAsync();

        await AssertRefusedAsync(call, 403, "permission_error", "The ccp user local is disabled");
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task A_user_of_the_file_whom_nobody_touched_is_served()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var call = await SlowCall.BeginAsync(ccp, $"x-api-key: {CcpUnderTest.Alice}");
        await call.FinishAsync();

        Assert.StartsWith("HTTP/1.1 200 ", await call.AnswerAsync(), StringComparison.Ordinal);
        await ccp.StopAsync();
        Assert.Single(ccp.Store.Charges);
    }

    [Fact]
    public async Task A_body_that_is_not_there_after_ten_minutes_is_waited_for_no_longer_and_frees_the_slot()
    {
        var clock = new ManualClock();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Clock, setup.Limits) = (clock, "concurrent = 1"));

        using var call = await SlowCall.BeginAsync(ccp, $"x-api-key: {CcpUnderTest.Alice}");
        using (var meanwhile = await ccp.AskAsync())
        {
            Assert.Equal(429, (int)meanwhile.StatusCode);
        }

        clock.Advance(TimeSpan.FromMinutes(10));

        await AssertRefusedAsync(call, 408, "invalid_request_error", "still on its way after 10 minutes");
        await ccp.MetricsAtRestAsync();
        using var next = await ccp.AskAsync();
        Assert.Equal(200, (int)next.StatusCode);
        await next.Content.ReadAsStringAsync();
        await ccp.StopAsync();
        Assert.Equal(["concurrency_reached", "body_too_slow", "streaming"], UsageLines.Completions(ccp).Select(line => line.GetProperty("reason").GetString()));
    }

    private static async Task AssertRefusedAsync(SlowCall call, int status, string type, string word)
    {
        var answer = await call.AnswerAsync();
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains($"\"type\":\"{type}\"", answer, StringComparison.Ordinal);
        Assert.Contains("x-should-retry: false", answer, StringComparison.Ordinal);
        Assert.Contains(word, answer, StringComparison.Ordinal);
    }

    /// <summary>A call of which the head and the first twenty bytes of the body are sent, and the rest when a test says so.</summary>
    private sealed class SlowCall : IDisposable
    {
        private const int FirstBytes = 20;

        private static readonly byte[] Body = Encoding.UTF8.GetBytes(CcpUnderTest.Body());

        private readonly TcpClient _connection = new();

        /// <returns>Once ccp waits for the rest.</returns>
        public static async Task<SlowCall> BeginAsync(CcpUnderTest ccp, string header)
        {
            var call = new SlowCall();
            await call._connection.ConnectAsync(ccp.Address!.Host, ccp.Port);
            var head = $"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1:{ccp.Port.ToString(CultureInfo.InvariantCulture)}\r\n{header}\r\ncontent-type: application/json\r\ncontent-length: {Body.Length}\r\nconnection: close\r\n\r\n";
            await call.SendAsync([.. Encoding.ASCII.GetBytes(head), .. Body[..FirstBytes]]);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while ((await ccp.MetricsAsync())["ccp_calls_in_flight"] == 0)
            {
                limit.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }

            return call;
        }

        public Task FinishAsync() => SendAsync(Body[FirstBytes..]);

        /// <summary>All that ccp answers.</summary>
        public async Task<string> AnswerAsync()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            using var reader = new StreamReader(_connection.GetStream(), Encoding.UTF8);
            return await reader.ReadToEndAsync(limit.Token);
        }

        public void Dispose() => _connection.Dispose();

        private async Task SendAsync(byte[] bytes) => await _connection.GetStream().WriteAsync(bytes);
    }
}
