using System.Net;
using Ccp.Forwarding;
using Ccp.Licensing;

namespace Ccp.Policies;

/// <summary>A policy pack as it was fetched, verified or not.</summary>
internal sealed record FetchedPolicy(byte[] Pack, byte[] Signature);

/// <summary>Fetches a policy pack and the signature beside it, from an address or from files. Bounded in size and time; follows no redirect.</summary>
/// <remarks>Errors: <see cref="IOException"/>; the message is the end of a sentence for the operator.</remarks>
internal sealed class PolicyFetch : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    private readonly string _source;
    private readonly TimeProvider _time;
    private readonly Lazy<HttpMessageInvoker>? _client;

    /// <param name="source">An address, or the full path of a file.</param>
    public PolicyFetch(string source, Uri? proxy, TrustedRoots roots, TimeProvider time)
    {
        _source = source;
        _time = time;
        _client = Uri.TryCreate(source, UriKind.Absolute, out var address) && !address.IsFile
            ? new Lazy<HttpMessageInvoker>(() => new HttpMessageInvoker(Handler(address, proxy, roots)), LazyThreadSafetyMode.PublicationOnly)
            : null;
    }

    public async Task<FetchedPolicy> FetchAsync()
    {
        using var limit = new CancellationTokenSource(Within, _time);
        try
        {
            return new FetchedPolicy(
                await ReadAsync(_source, PolicyPack.BytesMax, limit.Token),
                await ReadAsync(_source + ".sig", PolicyPack.SignatureBytesMax, limit.Token));
        }
        catch (OperationCanceledException error)
        {
            throw new IOException($"{_source} did not answer within {Within.TotalSeconds} s", error);
        }
        catch (Exception error) when (error is HttpRequestException or HttpIOException)
        {
            throw new IOException($"{_source} cannot be read: {CauseOf(error)}", error);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or ObjectDisposedException)
        {
            throw new IOException($"{_source} cannot be read: {error.Message}", error);
        }
    }

    public void Dispose()
    {
        if (_client is { IsValueCreated: true } client)
        {
            client.Value.Dispose();
        }
    }

    private async Task<byte[]> ReadAsync(string from, int bytesMax, CancellationToken cancellation)
    {
        if (_client is null)
        {
            // Opened on a thread that may wait: a pipe that nobody writes to must not hold up anything else.
            return await Task.Run(() => ReadFile(from, bytesMax), cancellation).WaitAsync(cancellation);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, from);
        request.Headers.TryAddWithoutValidation("user-agent", $"ccp/{Telemetry.Product.Version}");
        using var answer = await _client.Value.SendAsync(request, cancellation);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            throw new IOException($"{from} answered with status {(int)answer.StatusCode}");
        }

        await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
        return await ReadBoundedAsync(body, from, bytesMax, cancellation);
    }

    /// <summary>In the words of the system, of which the innermost say most; never in those of whoever answered, which the HTTP library quotes.</summary>
    private static string CauseOf(Exception error) => error is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: { } inner }
        ? $"no secure connection came about: {Innermost(inner).TrimEnd('.')}"
        : LaneFaults.Describe(error);

    private static string Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error.Message;

    private static byte[] ReadFile(string path, int bytesMax)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[bytesMax + 1];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= bytesMax ? bytes[..length] : throw new IOException($"{path} is longer than the {bytesMax} bytes that it may have");
    }

    private static async Task<byte[]> ReadBoundedAsync(Stream body, string from, int bytesMax, CancellationToken cancellation)
    {
        var bytes = new byte[bytesMax + 1];
        var length = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        return length <= bytesMax ? bytes[..length] : throw new IOException($"{from} is longer than the {bytesMax} bytes that it may have");
    }

    private static SocketsHttpHandler Handler(Uri address, Uri? proxy, TrustedRoots roots)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !address.IsLoopback,
            Proxy = proxy is null ? null : new WebProxy(proxy),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            ActivityHeadersPropagator = null,
        };
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            handler.SslOptions.CertificateChainPolicy = roots.ToChainPolicy();
        }

        return handler;
    }
}
