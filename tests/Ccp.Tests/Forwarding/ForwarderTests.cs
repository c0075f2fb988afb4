using System.Net;
using System.Net.Sockets;
using Ccp.Forwarding;
using Ccp.Ledger;
using Ccp.Pricing;
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

    [Theory]
    [InlineData(0, 0, "InsufficientCredit", "OutOfCredit")]
    [InlineData(100, 0, "DaySpendReached", "SpendLimit")]
    [InlineData(0, 100, "MonthSpendReached", "SpendLimit")]
    public async Task A_call_for_which_the_money_is_gone_before_it_is_sent_is_not_sent(long perDay, long perMonth, string code, string end)
    {
        await using var books = Books.Open(_folder, name: "poor.db", overdraft: 0);
        var account = await books.NewAccountAsync(perDay + perMonth == 0 ? 1_000 : 1_000_000);
        var limits = new SpendLimits(new NanoUsd(perDay), new NanoUsd(perMonth));
        Assert.True(books.Ledger.Place(account, RequestId.New(), new NanoUsd(10), isFree: false, canEndEarly: true, limits).Allows(out var dear, out _));
        Assert.True(books.Ledger.Place(account, RequestId.New(), new NanoUsd(10), isFree: false, canEndEarly: true, limits).Allows(out var newest, out _));
        dear.NoteProgress(Books.Progress(2_000));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://127.0.0.1:1/");

        // Where nobody answers: it would be found out, and another attempt allowed.
        var result = await SendAsync("http://127.0.0.1:1", TrustedRoots.Find(null, null, null), request, new CallMoney(books.Ledger, newest, row: null, rates: null));

        Assert.Equal((code, end, 0), ($"{result.Refusal?.Code}", $"{result.End}", result.Status));
        Assert.Null(result.Setback);
        dear.Dispose();
        newest.Dispose();
    }

    private static string Lane(string url) => $"""
        [[lane]]
        name = "anthropic"
        base_url = "{url}"
        """;

    private async Task<ForwardResult> SendAsync(string url, TrustedRoots roots, HttpRequestMessage request, CallMoney? callMoney = null)
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
        var money = callMoney ?? new CallMoney(_books.Ledger, _books.Ledger.PlaceNothing(RequestId.New()), row: null, rates: null);
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
