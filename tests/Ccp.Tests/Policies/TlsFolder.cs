using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Ccp.Tests.Policies;

/// <summary>Serves the files of a folder over TLS, one request a connection, one connection at a time.</summary>
internal sealed class TlsFolder : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    private TlsFolder(string folder, X509Certificate2 certificate)
    {
        _listener.Start();
        _serving = ServeAllAsync(folder, certificate);
    }

    public Uri Address => new($"https://{_listener.LocalEndpoint}/");

    public static TlsFolder Serve(string folder, X509Certificate2 certificate) => new(folder, certificate);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAllAsync(string folder, X509Certificate2 certificate)
    {
        while (true)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await using var tls = new SslStream(client.GetStream());
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, _stop.Token);
                await AnswerAsync(folder, tls);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception error) when (error is IOException or AuthenticationException)
            {
                // Whoever does not trust the certificate leaves.
            }
        }
    }

    private async Task AnswerAsync(string folder, SslStream tls)
    {
        using var reader = new StreamReader(tls, Encoding.ASCII, leaveOpen: true);
        if (await reader.ReadLineAsync(_stop.Token) is not { } request)
        {
            // Whoever does not trust the certificate may leave after the handshake, without a word.
            return;
        }

        var path = request.Split(' ')[1];
        while (!string.IsNullOrEmpty(await reader.ReadLineAsync(_stop.Token)))
        {
        }

        var body = await File.ReadAllBytesAsync(Path.Combine(folder, path.TrimStart('/')), _stop.Token);
        await tls.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\ncontent-length: {body.Length}\r\nconnection: close\r\n\r\n")), _stop.Token);
        await tls.WriteAsync(body, _stop.Token);
        await tls.FlushAsync(_stop.Token);
    }
}
