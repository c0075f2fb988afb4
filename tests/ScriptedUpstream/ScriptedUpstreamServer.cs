using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Ccp.ScriptedUpstream;

/// <summary>An Anthropic Messages API that does what a script says, on a real socket of 127.0.0.1.</summary>
/// <remarks>
/// The answer function sees a request once its body has arrived whole. Should it throw, the client gets a 500 with the
/// message and <see cref="Faults"/> keeps the exception.
/// </remarks>
public sealed class ScriptedUpstreamServer : IAsyncDisposable
{
    private readonly Func<RecordedRequest, Script> _answer;
    private readonly UpstreamOptions _options;
    private readonly Channel<RecordedRequest> _arrivals = Channel.CreateUnbounded<RecordedRequest>();
    private readonly List<RecordedRequest> _requests = [];
    private readonly List<Exception> _faults = [];
    private readonly Lock _lock = new();
    private WebApplication? _app;
    private volatile bool _ending;

    private ScriptedUpstreamServer(Func<RecordedRequest, Script> answer, UpstreamOptions options)
    {
        _answer = answer;
        _options = options;
    }

    /// <summary>Such as <c>http://127.0.0.1:40123/</c>.</summary>
    public Uri BaseUrl => new(_app!.Urls.Single());

    /// <summary>The requests so far, in the order they arrived whole.</summary>
    public IReadOnlyList<RecordedRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>What went wrong in the scripts themselves; a test should end with none.</summary>
    public IReadOnlyList<Exception> Faults
    {
        get
        {
            lock (_lock)
            {
                return [.. _faults];
            }
        }
    }

    public static async Task<ScriptedUpstreamServer> StartAsync(Func<RecordedRequest, Script> answer, UpstreamOptions? options = null)
    {
        var server = new ScriptedUpstreamServer(answer, options ?? new());

        // No buffer: a flush returns when the bytes are in the socket, so a cut that follows cannot take them back.
        server._app = await LoopbackKestrel.StartAsync(server._options, bufferBytesMax: 0, server.ServeAsync);
        return server;
    }

    /// <summary>The next request nobody has asked for yet: the n-th call gives the n-th request to arrive.</summary>
    public async Task<RecordedRequest> NextAsync(CancellationToken cancellation = default) =>
        await _arrivals.Reader.ReadAsync(cancellation);

    /// <summary>Ends at once: open connections are broken off.</summary>
    public async ValueTask DisposeAsync()
    {
        _ending = true;
        _arrivals.Writer.TryComplete();
        foreach (var request in Requests)
        {
            request.ServerEnds();
        }

        await _app!.Services.GetRequiredService<IServer>().StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var clientLeft = context.RequestAborted;
        try
        {
            var request = new RecordedRequest(context, await ReadBodyAsync(context.Request, clientLeft));
            await using var watch = clientLeft.Register(() => ClientLeft(request));
            Record(request);
            await _answer(request).RunAsync(new(context, request, clientLeft));
        }
        catch (Exception exception) when (clientLeft.IsCancellationRequested || exception is BadHttpRequestException)
        {
            // The client has gone, perhaps in the middle of its request: there is nobody to tell, and this is no fault.
        }
        catch (Exception exception)
        {
            lock (_lock)
            {
                _faults.Add(exception);
            }

            await FailAsync(context, exception);
        }
    }

    private void ClientLeft(RecordedRequest request)
    {
        if (_ending)
        {
            request.ServerEnds();
        }
        else
        {
            request.ClientLeft();
        }
    }

    private void Record(RecordedRequest request)
    {
        _options.OnRequest?.Invoke(request);
        if (!_options.KeepsRequests)
        {
            return;
        }

        // Under the lock both, so that the list and the waiting side agree on the order.
        lock (_lock)
        {
            _requests.Add(request);
            _arrivals.Writer.TryWrite(request);
        }
    }

    private static async Task<byte[]> ReadBodyAsync(HttpRequest request, CancellationToken clientLeft)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, clientLeft);
        return body.ToArray();
    }

    private static async Task FailAsync(HttpContext context, Exception exception)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        context.Response.StatusCode = 500;
        await context.Response.WriteAsync($"The script failed: {exception.Message}");
    }
}
