using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ccp.ScriptedUpstream;

/// <summary>A Kestrel with nothing before the one delegate: no routing, no logging, no configuration, no signal handlers.</summary>
internal static class LoopbackKestrel
{
    public static async Task<WebApplication> StartAsync(UpstreamOptions options, long? bufferBytesMax, RequestDelegate serve)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();

        // The socket transport has a buffer of its own, where 0 means no limit and 1 means none: what a step has sent must be on its way before the next step cuts the line.
        builder.WebHost.UseSockets(sockets => sockets.MaxWriteBufferSize = bufferBytesMax == 0 ? 1 : bufferBytesMax);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // One character a byte: what was sent can be compared with what arrived, whatever a header holds.
            kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
            kestrel.Limits.MaxResponseBufferSize = bufferBytesMax;
            kestrel.Limits.MaxRequestBodySize = null;

            // A stalled proxy is what some tests are about; the upstream must not be the one that loses patience.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromHours(1);
            kestrel.Limits.Http2.MaxStreamsPerConnection = 10_000;
            kestrel.Listen(IPAddress.Loopback, options.Port, listener => Configure(listener, options));
        });

        // The default lifetime takes SIGTERM and Ctrl+C for itself, which are the business of the process we run in.
        builder.Services.AddSingleton<IHostLifetime, LifetimeOfTheCaller>();
        var app = builder.Build();
        app.Run(serve);
        await app.StartAsync();
        return app;
    }

    private static void Configure(ListenOptions listener, UpstreamOptions options)
    {
        listener.Protocols = (options.Http2, options.Tls) switch
        {
            (true, null) => HttpProtocols.Http2,
            (true, _) => HttpProtocols.Http1AndHttp2,
            _ => HttpProtocols.Http1,
        };
        if (options.Tls is { } tls)
        {
            listener.UseHttps(tls.Certificate);
        }
    }

    private sealed class LifetimeOfTheCaller : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
