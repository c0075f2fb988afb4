using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ccp.ScriptedUpstream;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>The instrument itself: what the other tests take for granted of it.</summary>
public sealed class ScriptedUpstreamTests
{
    private static readonly Usage Some = new(Input: 10, Output: 5, CacheWrite5m: 1, CacheWrite1h: 2, CacheRead: 3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_recorded_as_it_was_sent()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.CountTokens(7));
        using var client = new HttpClient();
        // As is: an ordinary Uri would undo the escape of the A.
        var target = new Uri(
            $"{upstream.BaseUrl}u/a%2Fb/v1/messages?beta=true&x=%41", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(HttpMethod.Post, target);
        request.Headers.TryAddWithoutValidation("anthropic-beta", ["one", "two"]);
        request.Content = new ByteArrayContent([0, 255, 13, 10, 0]);

        using var response = await client.SendAsync(request, Cancellation);
        var recorded = await upstream.NextAsync(Cancellation);

        Assert.Equal("""{"input_tokens":7}""", await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("POST", recorded.Method);
        Assert.Equal("/u/a%2Fb/v1/messages?beta=true&x=%41", recorded.Target);
        Assert.Equal("?beta=true&x=%41", recorded.Query);
        Assert.Equal("HTTP/1.1", recorded.HttpVersion);
        Assert.Equal([0, 255, 13, 10, 0], recorded.Body);
        Assert.Equal("one, two", string.Join(", ", recorded.HeaderValues("Anthropic-Beta")));
        Assert.Same(recorded, Assert.Single(upstream.Requests));
        Assert.False(recorded.Aborted.IsCompleted);
        Assert.Empty(upstream.Faults);
    }

    [Fact]
    public async Task A_stream_arrives_event_by_event_as_the_gates_open()
    {
        var (reached, goOn) = (new Gate(), new Gate());
        var script = Answers.BeginStream()
            .Send(SseEvents.MessageStart("m", Some)).Signal(reached).WaitFor(goOn).Send(SseEvents.MessageStop);
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => script);
        using var client = new HttpClient();

        using var response = await client.GetAsync(upstream.BaseUrl, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        await using var body = await response.Content.ReadAsStreamAsync(Cancellation);
        var first = new byte[script.Body.Length - SseEvents.MessageStop.Length];
        await body.ReadExactlyAsync(first, Cancellation);
        await reached.WaitAsync(Cancellation);
        goOn.Open();
        using var rest = new StreamReader(body);

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.True(response.Headers.TransferEncodingChunked);
        Assert.StartsWith("event: message_start", Encoding.UTF8.GetString(first), StringComparison.Ordinal);
        Assert.Equal(SseEvents.MessageStop, await rest.ReadToEndAsync(Cancellation));
    }

    /// <remarks>Over HTTP/1.1: a reset of an HTTP/2 stream lets a client forget what it has not read yet.</remarks>
    [Fact]
    public async Task A_cut_comes_after_all_that_was_sent_before_it()
    {
        var sent = new byte[300_000];
        await using var upstream = await ScriptedUpstreamServer.StartAsync(
            _ => Answers.BeginStream().SendInPieces(sent, 1, 2, 100_000).Cut(), new());
        using var client = ClientFor(http2: false);

        using var response = await client.GetAsync(upstream.BaseUrl, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        await using var body = await response.Content.ReadAsStreamAsync(Cancellation);
        await body.ReadExactlyAsync(new byte[sent.Length], Cancellation);

        await Assert.ThrowsAnyAsync<IOException>(async () => await body.ReadAtLeastAsync(new byte[1], 1, true, Cancellation));
        var recorded = await upstream.NextAsync(Cancellation);
        Assert.False(recorded.Aborted.IsCompleted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_is_noticed(bool http2)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(
            _ => Answers.BeginStream().Send(SseEvents.Ping).Hang(), new() { Http2 = http2 });
        using var client = ClientFor(http2);

        using (await client.GetAsync(upstream.BaseUrl, HttpCompletionOption.ResponseHeadersRead, Cancellation))
        {
        }

        await (await upstream.NextAsync(Cancellation)).Aborted.WaitAsync(Cancellation);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Its_authority_vouches_for_it(bool http2)
    {
        using var tls = UpstreamTls.Create();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(
            _ => Answers.Models("a"), new() { Tls = tls, Http2 = http2 });
        using var authority = X509Certificate2.CreateFromPem(tls.AuthorityPem);
        using var trusting = new SocketsHttpHandler();
        trusting.SslOptions.CertificateChainPolicy = new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        trusting.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(authority);
        using var client = ClientFor(http2, trusting);
        using var stranger = new HttpClient();

        Assert.Equal("https", upstream.BaseUrl.Scheme);
        Assert.Contains("\"id\":\"a\"", await client.GetStringAsync(upstream.BaseUrl, Cancellation), StringComparison.Ordinal);
        Assert.Equal(http2 ? "HTTP/2" : "HTTP/1.1", (await upstream.NextAsync(Cancellation)).HttpVersion);
        await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetAsync(upstream.BaseUrl, Cancellation));
    }

    [Fact]
    public async Task Ending_it_breaks_off_what_is_open()
    {
        var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Stall());
        using var client = new HttpClient();
        var pending = client.GetAsync(upstream.BaseUrl, Cancellation);
        var recorded = await upstream.NextAsync(Cancellation);

        await upstream.DisposeAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => pending);
        Assert.True(recorded.Aborted.IsCanceled);
    }

    [Fact]
    public async Task A_script_that_fails_says_so()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => throw new InvalidOperationException("no such tape"));
        using var client = new HttpClient();

        using var response = await client.GetAsync(upstream.BaseUrl, Cancellation);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("no such tape", Assert.Single(upstream.Faults).Message);
    }

    // Without the drain timeout of zero, HttpClient reads on for two seconds after its user has let go.
    private static HttpClient ClientFor(bool http2, SocketsHttpHandler? handler = null) =>
        new(handler ?? new() { ResponseDrainTimeout = TimeSpan.Zero })
        {
            DefaultRequestVersion = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
}
