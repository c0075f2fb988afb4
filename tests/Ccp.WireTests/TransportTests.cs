using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>How ccp reaches its upstream: HTTP/1.1 and HTTP/2, TLS that is checked, through a proxy.</summary>
public sealed class TransportTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Theory]
    [InlineData(true, "HTTP/2")]
    [InlineData(false, "HTTP/1.1")]
    public async Task Over_TLS_the_lane_decides_between_http2_and_http1(bool http2, string version)
    {
        using var tls = UpstreamTls.Create();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small), new UpstreamOptions { Tls = tls, Http2 = true });
        using var authority = new TemporaryFile(tls.AuthorityPem);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup =>
        {
            setup.Server = $"ca_file = \"{authority.Path}\"";
            setup.Lane = http2 ? "http2 = true" : "http2 = false";
        });

        using var answer = await ccp.AskAsync();
        var text = await answer.Content.ReadAsStringAsync();

        Assert.EndsWith("message_stop\"}\n\n", text, StringComparison.Ordinal);
        Assert.Equal(version, Assert.Single(upstream.Requests).HttpVersion);
        await ccp.StopAsync();
        Assert.Equal(-400_000, Assert.Single(ccp.Store.Charges).Amount.Value);
    }

    [Fact]
    public async Task An_upstream_whose_certificate_nobody_vouches_for_gets_no_key()
    {
        using var tls = UpstreamTls.Create();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small), new UpstreamOptions { Tls = tls });
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        using var answer = await ccp.AskAsync();

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Empty(upstream.Requests);
    }

    [Fact]
    public async Task Upstreams_are_reached_through_the_proxy_that_the_operator_names()
    {
        await using var proxy = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(proxy, change: setup =>
        {
            setup.UpstreamUrl = new Uri("http://upstream.invalid");
            setup.Server = $"upstream_proxy = \"{proxy.BaseUrl}\"";
        });

        using var answer = await ccp.AskAsync();
        await answer.Content.ReadAsStringAsync();

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal("upstream.invalid", Assert.Single(proxy.Requests).Header("host"));
    }

    [Fact]
    public async Task The_environment_s_proxy_is_honoured()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "The environment of this process is not ccp's alone.");
        await using var proxy = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(proxy, change: setup =>
        {
            setup.UpstreamUrl = new Uri("http://upstream.invalid");
            setup.Environment["http_proxy"] = proxy.BaseUrl.AbsoluteUri;
        });

        using var answer = await ccp.AskAsync();

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal("upstream.invalid", Assert.Single(proxy.Requests).Header("host"));
    }

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(string content)
        {
            File.WriteAllText(Path, content);
        }

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"ccp-wire-{Guid.NewGuid():N}.pem");

        public void Dispose() => File.Delete(Path);
    }
}
