using System.Net.Sockets;
using System.Text;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>A unix socket that ccp listens on for a reverse proxy: whoever comes through it is anybody, and no operator.</summary>
public sealed class SocketTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ccp-front-").FullName;

    private string Front => Path.Combine(_folder, "front.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("GET", "/admin/users", null)]
    [InlineData("POST", "/admin/users", """{"username":"mallory","isAdmin":true}""")]
    [InlineData("GET", "/readyz", null)]
    [InlineData("GET", "/v1/usage", null)]
    public async Task Nobody_administers_over_a_socket_that_is_not_the_administration_s(string method, string path, string? body)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await StartAsync(upstream);

        foreach (var host in new[] { "localhost", "proxy.example" })
        {
            using var answer = await AskAsync(method, path, body, host, token: null);
            Assert.True((int)answer.StatusCode is 401 or 403, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }

        var (status, users) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/users");
        Assert.Equal((200, false), (status, users.TryGetProperty("mallory", out _)));
    }

    [Fact]
    public async Task A_user_is_served_over_it_as_anywhere()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Message(CcpUnderTest.Model, "hi", new Usage(Input: 25, Output: 15)));
        await using var ccp = await StartAsync(upstream);

        using var answer = await AskAsync("POST", "/v1/messages", CcpUnderTest.Body(stream: false), "proxy.example", CcpUnderTest.Alice);
        using var stranger = await AskAsync("POST", "/v1/messages", CcpUnderTest.Body(stream: false), "proxy.example", token: null);

        Assert.Equal((200, 401), ((int)answer.StatusCode, (int)stranger.StatusCode));
        await ccp.StopAsync();
        Assert.Single(ccp.Store.Charges);
    }

    private Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer upstream) => CcpUnderTest.StartAsync(upstream, change: setup => setup.Listen = $"[\"127.0.0.1:0\", \"unix:{Front}\"]");

    private async Task<HttpResponseMessage> AskAsync(string method, string path, string? body, string host, string? token)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Front), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://{host}{path}");
        if (token is not null)
        {
            request.Headers.Add("x-api-key", token);
        }

        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return await client.SendAsync(request);
    }
}
