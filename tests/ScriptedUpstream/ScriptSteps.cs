using System.Collections.Immutable;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ccp.ScriptedUpstream;

/// <summary>One request being answered: where the steps write, and how they learn that nobody listens any more.</summary>
internal sealed record Exchange(HttpContext Context, RecordedRequest Request, CancellationToken ClientLeft);

internal abstract class ScriptStep
{
    /// <returns>False when the script ends here.</returns>
    public abstract ValueTask<bool> RunAsync(Exchange exchange);
}

internal sealed class HeadStep(int status, ImmutableArray<(string Name, string Value)> headers) : ScriptStep
{
    /// <summary>Off where the body follows at once and should share the first packet.</summary>
    public bool Flushes { get; init; } = true;

    public override async ValueTask<bool> RunAsync(Exchange exchange)
    {
        var response = exchange.Context.Response;
        response.StatusCode = status;
        foreach (var group in headers.GroupBy(header => header.Name, StringComparer.OrdinalIgnoreCase))
        {
            // Only set-cookie may stand twice; elsewhere a later value replaces a ready-made one.
            var isList = group.Key.Equals("set-cookie", StringComparison.OrdinalIgnoreCase);
            response.Headers[group.Key] = isList ? group.Select(header => header.Value).ToArray() : group.Last().Value;
        }

        if (Flushes)
        {
            await response.StartAsync(exchange.ClientLeft);
            await response.BodyWriter.FlushAsync(exchange.ClientLeft);
        }

        return true;
    }
}

internal sealed class SendStep(ReadOnlyMemory<byte> bytes) : ScriptStep
{
    public ReadOnlyMemory<byte> Bytes => bytes;

    public override async ValueTask<bool> RunAsync(Exchange exchange)
    {
        await exchange.Context.Response.BodyWriter.WriteAsync(bytes, exchange.ClientLeft);
        return true;
    }
}

internal sealed class WaitStep(Gate gate) : ScriptStep
{
    public override async ValueTask<bool> RunAsync(Exchange exchange)
    {
        await gate.WaitAsync(exchange.ClientLeft);
        return true;
    }
}

internal sealed class SignalStep(Gate gate) : ScriptStep
{
    public override ValueTask<bool> RunAsync(Exchange exchange)
    {
        gate.Open();
        return ValueTask.FromResult(true);
    }
}

internal sealed class DoStep(Action action) : ScriptStep
{
    public override ValueTask<bool> RunAsync(Exchange exchange)
    {
        action();
        return ValueTask.FromResult(true);
    }
}

internal sealed class DelayStep(TimeSpan time) : ScriptStep
{
    public override async ValueTask<bool> RunAsync(Exchange exchange)
    {
        await Task.Delay(time, exchange.ClientLeft);
        return true;
    }
}

internal sealed class HangStep : ScriptStep
{
    public override async ValueTask<bool> RunAsync(Exchange exchange)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, exchange.ClientLeft);
        return false;
    }
}

internal sealed class CutStep : ScriptStep
{
    private const int Http2InternalError = 2;

    public override async ValueTask<bool> RunAsync(Exchange exchange)
    {
        // The server sees its own cut as a client that left; the record must not.
        exchange.Request.AnsweredByCut();
        if (exchange.Context.Features.Get<IHttpResetFeature>() is { } stream)
        {
            stream.Reset(Http2InternalError);
            return false;
        }

        // Abort would send a TCP reset, which makes both ends forget bytes that are still under way. An end in the middle
        // of a body arrives after them; it is for the client to close then.
        try
        {
            exchange.Context.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is ObjectDisposedException or SocketException)
        {
            // The client broke it off first.
            return false;
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, exchange.ClientLeft);
        return false;
    }
}

internal sealed class EndStep : ScriptStep
{
    public override async ValueTask<bool> RunAsync(Exchange exchange)
    {
        await exchange.Context.Response.CompleteAsync();
        return false;
    }
}
