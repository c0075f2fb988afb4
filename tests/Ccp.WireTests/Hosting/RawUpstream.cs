using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ccp.WireTests.Hosting;

/// <summary>An upstream that answers every request with the same bytes, which no web server would send.</summary>
internal sealed class RawUpstream : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly byte[] _answer;
    private Task _serving = Task.CompletedTask;

    private RawUpstream(string answer)
    {
        _answer = Encoding.Latin1.GetBytes(answer);
    }

    public Uri BaseUrl => new($"http://{_listener.LocalEndpoint}/");

    /// <param name="answer">One character a byte.</param>
    public static Task<RawUpstream> StartAsync(string answer)
    {
        var upstream = new RawUpstream(answer);
        upstream._listener.Start();
        upstream._serving = upstream.ServeAsync();
        return Task.FromResult(upstream);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _serving;
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var connection = await _listener.AcceptTcpClientAsync(_ending.Token);
                var stream = connection.GetStream();
                await ReadRequestAsync(stream, _ending.Token);
                await stream.WriteAsync(_answer, _ending.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // The test is over, or its ccp has gone.
        }
    }

    /// <summary>One that ends with its JSON, as every call of the tests does.</summary>
    private static async Task ReadRequestAsync(NetworkStream stream, CancellationToken ending)
    {
        var text = new StringBuilder();
        var piece = new byte[8192];
        while (!text.ToString().EndsWith('}'))
        {
            var read = await stream.ReadAsync(piece, ending);
            if (read == 0)
            {
                return;
            }

            text.Append(Encoding.Latin1.GetString(piece, 0, read));
        }
    }
}
