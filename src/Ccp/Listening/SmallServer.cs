using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Ccp.Listening;

/// <summary>A web server for a handful of small requests on one address, beside the proxy and not part of it.</summary>
internal sealed class SmallServer : IDisposable
{
    private readonly KestrelServer _server;
    private readonly Application _application;

    /// <param name="bodyBytesMax">Larger requests are refused by the server itself.</param>
    public SmallServer(IPEndPoint endPoint, long bodyBytesMax, Func<HttpContext, Task> answer)
    {
        _application = new Application(answer);
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,
            ApplicationServices = new ServiceCollection().AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).BuildServiceProvider(),
        };
        options.Limits.MaxRequestBodySize = bodyBytesMax;
        options.Limits.MaxConcurrentConnections = 1_000;
        options.Listen(endPoint, listen => listen.Protocols = HttpProtocols.Http1);
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        _server = new KestrelServer(Options.Create(options), transport, NullLoggerFactory.Instance);
    }

    /// <summary>Where it listens, with the port that the system chose.</summary>
    public Uri Address => new(_server.Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public Task StartAsync() => _server.StartAsync(_application, CancellationToken.None);

    /// <summary>Takes no new connections; open requests may finish until <paramref name="cut"/>.</summary>
    public Task StopAsync(CancellationToken cut) => _server.StopAsync(cut);

    public void Dispose() => _server.Dispose();

    private sealed class Application(Func<HttpContext, Task> answer) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => answer(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
