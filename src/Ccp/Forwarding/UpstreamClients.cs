using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Text;
using Ccp.Configuration;

namespace Ccp.Forwarding;

/// <summary>One HTTP client per lane. It keeps no cookies, follows no redirect, decodes nothing and adds no header of its own.</summary>
internal sealed class UpstreamClients : IDisposable
{
    // Below what providers keep an idle connection for: a connection they have just closed would cost a user an error.
    private static readonly TimeSpan IdleConnectionKept = TimeSpan.FromSeconds(60);

    // Names move: a connection is not kept longer than a change of address should take to be noticed.
    private static readonly TimeSpan ConnectionKept = TimeSpan.FromMinutes(10);

    // All calls of a lane may share one HTTP/2 connection, and one that died without a word would hold them and every later one until they time out.
    private static readonly TimeSpan SilenceBeforePing = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PingAnsweredWithin = TimeSpan.FromSeconds(10);

    // Made when first needed: reading the host's authorities takes longer than all the rest of a start. By what a connection depends on: a lane that
    // is configured anew gets a new client, and calls in progress keep the old one, whose connections close when they idle.
    private readonly ConcurrentDictionary<(string Lane, string Scheme, bool IsLoopback, TimeSpan ConnectTimeout), Lazy<HttpMessageInvoker>> _clients = new();
    private readonly Uri? _proxy;
    private readonly TrustedRoots _roots;

    public UpstreamClients(CcpConfig config, TrustedRoots roots)
    {
        _proxy = config.Server.UpstreamProxy;
        _roots = roots;
    }

    /// <exception cref="HttpRequestException">The certificate authorities cannot be read now. That is not kept: the next call reads them again.</exception>
    public HttpMessageInvoker For(LaneConfig lane) => _clients.GetOrAdd(
        (lane.Name, lane.BaseUrl.Scheme, lane.BaseUrl.IsLoopback, lane.ConnectTimeout),
        static (_, made) => new Lazy<HttpMessageInvoker>(() => new HttpMessageInvoker(HandlerFor(made.Lane, made.Proxy, made.Roots)), LazyThreadSafetyMode.PublicationOnly),
        (Lane: lane, Proxy: _proxy, Roots: _roots)).Value;

    public void Dispose()
    {
        foreach (var client in _clients.Values.Where(client => client.IsValueCreated))
        {
            client.Value.Dispose();
        }
    }

    internal static SocketsHttpHandler HandlerFor(LaneConfig lane, Uri? proxy, TrustedRoots roots) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = lane.ConnectTimeout,
        PooledConnectionIdleTimeout = IdleConnectionKept,

        // A stream that is left is left at once: reading on would keep the upstream writing, and paid.
        ResponseDrainTimeout = TimeSpan.Zero,
        MaxResponseDrainSize = 0,
        PooledConnectionLifetime = ConnectionKept,
        EnableMultipleHttp2Connections = true,

        // Only while calls are in progress: a server may take pings without any for abuse, and a connection that idles is soon closed anyway.
        KeepAlivePingDelay = SilenceBeforePing,
        KeepAlivePingTimeout = PingAnsweredWithin,
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,

        // Bytes pass as they are, whatever a header holds.
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,

        // Without a setting, HTTPS_PROXY and NO_PROXY decide. What is meant for this host stays on it: its key may go unencrypted.
        UseProxy = !lane.BaseUrl.IsLoopback,
        Proxy = proxy is null ? null : new WebProxy(proxy),
        SslOptions = lane.BaseUrl.Scheme == Uri.UriSchemeHttps
            ? new SslClientAuthenticationOptions { CertificateChainPolicy = roots.ToChainPolicy() }
            : new SslClientAuthenticationOptions(),
    };
}
