using System.Net;
using System.Net.Sockets;
using Ccp.Forwarding;
using Ccp.Refusals;
using Ccp.Routing;
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
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var config = Configured.Good($"""
            [[lane]]
            name = "anthropic"
            base_url = "http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}"
            """, new() { ["DEFAULT_ANTHROPIC_API_KEY"] = "key" });
        var lane = config.Lanes.Single(lane => lane.Name == "anthropic");
        var plan = new LanePlan(lane, lane.Key!, IsUsersOwnKey: false, "test", Rates: null);
        using var clients = new UpstreamClients(config, TrustedRoots.Find(null, null, null));
        using var active = new ActiveCalls(new ManualClock());
        var clock = new ManualClock();
        await using var thinking = new ThinkingGuard(() => config, _books.Path, _books.Writes, clock);
        var forwarder = new Forwarder(clients, new LaneCircuits(config.Lanes, clock, NullLogger.Instance), active, thinking, clock, NullLogger.Instance);
        var money = new CallMoney(_books.Ledger, _books.Ledger.PlaceNothing(RequestId.New()), row: null, rates: null);
        using var broken = new HttpRequestMessage(HttpMethod.Post, lane.BaseUrl) { Content = new BrokenContent() };

        var result = await forwarder.SendAsync(plan, broken, RequestId.New(), isStream: true, isMetered: true, money, new DefaultHttpContext());

        Assert.Equal(RefusalCode.LaneUnreachable, result.Refusal?.Code);
        Assert.Equal((0, RelayEnd.UpstreamCut), (result.Status, result.End));
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
