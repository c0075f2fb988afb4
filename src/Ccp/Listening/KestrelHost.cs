using System.Text;
using Ccp.Configuration;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Ccp.Listening;

/// <summary>Kestrel without a host around it: it starts in milliseconds and brings nothing that ccp does not use.</summary>
internal sealed class KestrelHost : IDisposable
{
    private readonly KestrelServer _server;
    private readonly IHttpApplication<HttpContext> _application;
    private readonly ServerCertificate? _certificate;

    /// <param name="adminSocketPath">The unix socket that the command line talks to; made readable to its owner only by the caller's umask.</param>
    public KestrelHost(ServerConfig config, string adminSocketPath, IHttpApplication<HttpContext> application, TimeProvider time)
    {
        _application = application;
        _certificate = config is { TlsCertificatePath: { } certificate, TlsKeyPath: { } key } ? new ServerCertificate(certificate, key, time) : null;
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,

            // Bytes pass as they are, both ways: towards the upstream headers are read and written the same.
            RequestHeaderEncodingSelector = static _ => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static _ => Encoding.Latin1,
            ApplicationServices = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).BuildServiceProvider(),
        };
        SetLimits(options.Limits);
        foreach (var address in config.Listen)
        {
            Listen(options, address);
        }

        options.ListenUnixSocket(adminSocketPath);

        // Completions run where the bytes arrive; nothing in the path of a call blocks a thread. See docs/decisions/0002.
        var transport = new SocketTransportFactory(
            Options.Create(new SocketTransportOptions { UnsafePreferInlineScheduling = true, NoDelay = true }),
            NullLoggerFactory.Instance);
        _server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
    }

    /// <summary>Where it listens, with the ports that the system chose.</summary>
    public IReadOnlyList<string> Addresses => [.. _server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    public Task StartAsync() => _server.StartAsync(_application, CancellationToken.None);

    /// <summary>Takes no new connections, and waits for open calls until <paramref name="drained"/>; then cuts them.</summary>
    public Task StopAsync(CancellationToken drained) => _server.StopAsync(drained);

    public void Dispose()
    {
        _server.Dispose();
        _certificate?.Dispose();
    }

    private static void SetLimits(KestrelServerLimits limits)
    {
        // ccp says no to a large body itself, in the client's shape and before reading it.
        limits.MaxRequestBodySize = null;

        // A terminal that is stopped for a while reads nothing and is not an attack. The relay gives it the lane's idle time.
        limits.MinResponseDataRate = null;
        limits.KeepAliveTimeout = TimeSpan.FromMinutes(5);
        limits.MaxRequestHeadersTotalSize = 64 * 1024;
    }

    private void Listen(KestrelServerOptions options, ListenAddress address)
    {
        if (address.UnixSocketPath is { } path)
        {
            options.ListenUnixSocket(path);
            return;
        }

        options.Listen(address.EndPoint!, listen =>
        {
            if (_certificate is { } certificate)
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => certificate.Current());
            }
            else
            {
                listen.Protocols = HttpProtocols.Http1;
            }
        });
    }
}
