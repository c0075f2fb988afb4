using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using Ccp.Admin;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Licenses;
using Ccp.Licensing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Cli;

/// <summary>A way to ask the administration API: of a server, or, when none runs, of the store itself.</summary>
internal abstract class AdminConnection : IAsyncDisposable
{
    public abstract Task<AdminAnswer> SendAsync(AdminCall call);

    public abstract ValueTask DisposeAsync();
}

/// <summary>The API of a running server, over its unix socket or over TCP.</summary>
/// <param name="token">Null on the unix socket, where the kernel says who asks.</param>
internal sealed class ServerConnection(SocketsHttpHandler handler, Uri server, string? token) : AdminConnection
{
    private readonly HttpClient _client = new(handler) { Timeout = TimeSpan.FromMinutes(5) };

    public override async Task<AdminAnswer> SendAsync(AdminCall call)
    {
        var query = string.Join('&', call.Query.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));
        var path = server.AbsolutePath.TrimEnd('/') + call.Path;
        using var request = new HttpRequestMessage(new HttpMethod(call.Method), new Uri(server, query.Length == 0 ? path : $"{path}?{query}"));
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (!call.Body.IsEmpty)
        {
            request.Content = new ReadOnlyMemoryContent(call.Body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        using var response = await _client.SendAsync(request);
        return new AdminAnswer((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    public override ValueTask DisposeAsync()
    {
        _client.Dispose();
        handler.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>Null when no server answers there: the socket is missing, or a dead server's.</returns>
    /// <exception cref="CommandFailedException">The socket belongs to someone else.</exception>
    public static async Task<ServerConnection?> TryOverSocketAsync(string path)
    {
        var endPoint = new UnixDomainSocketEndPoint(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint);
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
        {
            return null;
        }
        catch (SocketException error)
        {
            throw new CommandFailedException($"The server's socket {path} cannot be used: {error.Message}. Run this as the user that ccp runs as.", error);
        }
        finally
        {
            socket.Dispose();
        }

        var handler = NewHandler();
        handler.ConnectCallback = async (_, cancellation) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(endPoint, cancellation);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        };
        return new ServerConnection(handler, new Uri("http://localhost"), token: null);
    }

    // A token goes where it was meant to go: no redirect, no proxy.
    public static SocketsHttpHandler NewHandler() => new() { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
}

/// <summary>The API in this process, over a store that no server has open.</summary>
internal sealed class StoreConnection : AdminConnection
{
    private static readonly AdminActor Host = new(User: null, IsHostOperator: true);

    private readonly ServiceProvider _logging;
    private readonly Till _till;
    private readonly CurrentLicense _license;
    private readonly Switchboard _lanes;
    private readonly AdminApi _api;

    public StoreConnection(CcpConfig config, DataDirectory data, Func<string, string?> environment)
    {
        // What was done is printed; the log is for what the operator did not ask for.
        var level = config.Logs.Level < LogLevel.Warning ? LogLevel.Warning : config.Logs.Level;
        _logging = ProcessLog.Create(config.Logs with { Level = level });
        try
        {
            _till = Till.Open(config, data, environment("CCP_MASTER_KEY"), TimeProvider.System, _logging.GetRequiredService<ILoggerFactory>().CreateLogger("ccp"));
        }
        catch
        {
            _logging.Dispose();
            throw;
        }

        // The commands of the license look at it themselves, with their own words.
        _license = LicenseFileConnection.Open(config, data, environment, TrustedKeys.With(environment(TrustedKeys.Variable), TrustedKeys.IsDevBuild, out _), NullLogger.Instance);
        _lanes = new Switchboard(_till, data, RootsOf(config, environment), _license);
        _api = new AdminApi(_till, _license, _lanes);
    }

    public override async Task<AdminAnswer> SendAsync(AdminCall call) =>
        await _api.HandleAsync(new AdminRequest(call.Method, call.Path, call.Query, call.Body, Host));

    public override async ValueTask DisposeAsync()
    {
        _api.Dispose();
        _lanes.Dispose();
        _license.Dispose();
        await _till.DisposeAsync();
        await _logging.DisposeAsync();
    }

    private static TrustedRoots RootsOf(CcpConfig config, Func<string, string?> environment)
    {
        TrustedRoots Find(string? caFile) => TrustedRoots.Find(caFile, environment("SSL_CERT_FILE"), environment("SSL_CERT_DIR"));
        try
        {
            return Find(config.Server.CaFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // ccp serve says what is wrong with the file; a top-up must not fail for it.
            return Find(null);
        }
    }
}
