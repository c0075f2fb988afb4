using System.Net;
using System.Net.Sockets;
using Ccp.Forwarding;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.ScriptedUpstream;
using Ccp.Telemetry;
using Ccp.Tests.Configuration;
using Ccp.Tests.Ledger;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Ccp.Thinking;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Forwarding;

public sealed class ForwarderTests : IAsyncDisposable
{
    private static readonly Dictionary<string, string> Key = new() { ["DEFAULT_ANTHROPIC_API_KEY"] = "key" };

    private readonly TempFolder _folder = new();
    private readonly Books _books;

    public ForwarderTests()
    {
        _books = Books.Open(_folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _books.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>A peer that dies in the moment of connecting makes the client library let a SocketException through as it is.</summary>
    [Fact]
    public async Task A_socket_that_fails_under_the_client_library_is_a_lane_that_cannot_be_reached()
    {
        using var broken = new HttpRequestMessage(HttpMethod.Post, "http://127.0.0.1:1/") { Content = new BrokenContent() };
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        var result = await SendAsync($"http://{listener.LocalEndpoint}", TrustedRoots.Find(null, null, null), broken);

        Assert.Equal(RefusalCode.LaneUnreachable, result.Refusal?.Code);
        Assert.Equal((0, RelayEnd.UpstreamCut), (result.Status, result.End));
    }

    /// <summary>Nothing was sent, so another lane may be asked; and what reads the authorities must not remember that it failed.</summary>
    [Fact]
    public async Task A_lane_whose_certificate_authorities_cannot_be_read_cannot_be_reached_until_they_can()
    {
        File.WriteAllText(_folder["roots.pem"], "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        var roots = TrustedRoots.Find(null, _folder["roots.pem"], null);
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://127.0.0.1:1/");

        var result = await SendAsync("https://127.0.0.1:1", roots, request);
        Assert.Equal((RefusalCode.LaneUnreachable, Setback.NotConnected), (result.Refusal?.Code, result.Setback));

        var config = Configured.Good(Lane("https://127.0.0.1:1"), Key);
        var lane = config.Lanes.Single(lane => lane.Name == "anthropic");
        using var clients = new UpstreamClients(config, roots);
        var reach = new LaneReach(clients, new ManualClock());
        var answer = await reach.AskAsync(lane);
        Assert.False(answer.IsReachable);
        Assert.StartsWith($"cannot be reached: the trusted certificate authorities cannot be read: {_folder["roots.pem"]}", answer.Words, StringComparison.Ordinal);

        // The doctor ends the sentence.
        Assert.False(answer.Words.EndsWith('.'));

        using var tls = UpstreamTls.Create();
        File.WriteAllText(_folder["roots.pem"], tls.AuthorityPem);
        Assert.NotNull(clients.For(lane));
    }

    private static string Lane(string url) => $"""
        [[lane]]
        name = "anthropic"
        base_url = "{url}"
        """;

    private async Task<ForwardResult> SendAsync(string url, TrustedRoots roots, HttpRequestMessage request)
    {
        var config = Configured.Good(Lane(url), Key);
        var lane = config.Lanes.Single(lane => lane.Name == "anthropic");
        var plan = new LanePlan(lane, lane.Key!, IsUsersOwnKey: false, "test", Rates: null);
        request.RequestUri = lane.BaseUrl;
        using var clients = new UpstreamClients(config, roots);
        using var active = new ActiveCalls(new ManualClock());
        var clock = new ManualClock();
        await using var thinking = new ThinkingGuard(() => config, _books.Path, _books.Writes, clock);
        var forwarder = new Forwarder(clients, new LaneCircuits(config.Lanes, clock, NullLogger.Instance), static _ => true, active, thinking, clock, NullLogger.Instance);
        var money = new CallMoney(_books.Ledger, _books.Ledger.PlaceNothing(RequestId.New()), row: null, rates: null);
        return await forwarder.SendAsync(plan with { Fallback = plan }, request, RequestId.New(), isStream: true, isMetered: true, money, new DefaultHttpContext());
    }

    /// <summary>What is sent is where a test can have a socket fail at will.</summary>
    private sealed class BrokenContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => throw new SocketException((int)SocketError.NotConnected);

        protected override bool TryComputeLength(out long length)
        {
            length = 1;
            return true;
        }
    }
}
