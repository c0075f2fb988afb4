using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Limits;
using Ccp.Listening;
using Ccp.Refusals;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Ccp.Admin;

/// <summary>The administration API over HTTP. It answers on the unix socket and to connections from this host only; who asks is proved by token or by socket.</summary>
/// <remarks>
/// Browsers: tokens travel in headers only, so a foreign page has nothing to ride on; a foreign <c>Host</c> or <c>Origin</c> and bodies that are not JSON are
/// refused all the same (DNS rebinding).
/// </remarks>
/// <param name="socketPath">Of the unix socket that is the administration's. Another may be listened on for a reverse proxy, whose callers are anybody.</param>
internal sealed class AdminEndpoint(AdminApi api, Admission admission, ServerConfig server, string socketPath)
{
    private const int BodyBytesMax = 1024 * 1024;

    // struct ucred of Linux: pid, uid, gid.
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int UcredBytes = 12;

    public async Task AnswerAsync(HttpContext http)
    {
        var answer = Refusal(http) ?? await HandleAsync(http);
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = answer.ContentType;
        http.Response.ContentLength = answer.Body.Length;
        http.Response.Headers.CacheControl = "no-store";
        if (answer.RetryAfterSeconds is { } seconds)
        {
            http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await http.Response.BodyWriter.WriteAsync(answer.Body);
    }

    private async Task<AdminAnswer> HandleAsync(HttpContext http)
    {
        var body = await ReadBodyAsync(http.Request);
        if (body is null)
        {
            return AdminApi.Error(413, "The request body is too large for the administration API.");
        }

        var query = http.Request.Query.ToDictionary(pair => pair.Key, pair => pair.Value[0] ?? "", StringComparer.Ordinal);
        var from = CallerAddress.Of(http, server.TrustedProxies);
        if (UserIn(http, from, out var user) is { } throttled)
        {
            return throttled;
        }

        var actor = new AdminActor(user, IsHostOperator: IsOwnerOnOwnSocket(http));
        var request = new AdminRequest(http.Request.Method, http.Request.Path.Value ?? "", query, body.Value, actor) { From = from };

        // Reports read the disk, and this thread carries the streams of others.
        return await Task.Run(() => api.HandleAsync(request).AsTask());
    }

    /// <summary>Who asks; nobody, when there is no token, or one that does not count here and now.</summary>
    /// <returns>An answer only when too many wrong tokens came from there.</returns>
    private AdminAnswer? UserIn(HttpContext http, Caller from, out User? user)
    {
        user = null;
        if (PresentedToken.In(http.Request.Headers) is not { } token)
        {
            return null;
        }

        if (admission.Identify(token, from.Address).Allows(out var holder, out var refusal))
        {
            user = admission.RefusalOf(holder, from) is null ? holder : null;
            return null;
        }

        return refusal.Code == RefusalCode.TooManyFailedTokens ? AdminApi.TooManyFailedTokens(refusal) : null;
    }

    private AdminAnswer? Refusal(HttpContext http)
    {
        var isOwnSocket = OwnSocketOf(http) is not null;
        var isAdminPath = AdminApi.IsForAdmins(http.Request.Path.Value ?? "");
        if (isAdminPath && !isOwnSocket && !IsFromOwnHost(http))
        {
            return AdminApi.Error(403, "The administration API answers on ccp's own host only.");
        }

        if (isAdminPath && !isOwnSocket && !IsOwnHost(http.Request.Host))
        {
            return AdminApi.Error(403, "The Host header names another host than the one ccp listens on.");
        }

        if (http.Request.Headers.Origin.ToString() is { Length: > 0 } origin
            && !string.Equals(origin, $"{http.Request.Scheme}://{http.Request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            return AdminApi.Error(403, "Requests from other sites' pages are refused.");
        }

        return HasBody(http.Request) && !(http.Request.ContentType ?? "").StartsWith("application/json", StringComparison.OrdinalIgnoreCase)
            ? AdminApi.Error(415, "Send JSON, with content-type: application/json.")
            : null;
    }

    /// <summary>By both ends: a proxy elsewhere that names 127.0.0.1 means its own host, or repeats what a caller wrote.</summary>
    private bool IsFromOwnHost(HttpContext http) =>
        http.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer) && IPAddress.IsLoopback(CallerAddress.Of(http, server.TrustedProxies).Address);

    private static bool HasBody(HttpRequest request) => request.ContentLength is > 0 || request.Headers.TransferEncoding.Count > 0;

    /// <returns>Null for a connection that came any other way than over the administration's socket.</returns>
    private Socket? OwnSocketOf(HttpContext http) =>
        http.Features.Get<IConnectionSocketFeature>()?.Socket is { LocalEndPoint: UnixDomainSocketEndPoint local } socket && local.ToString() == socketPath ? socket : null;

    /// <summary>A name that a rebinding page could not have: an address literal of this host, or localhost.</summary>
    private bool IsOwnHost(HostString host) =>
        string.Equals(host.Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Host, out var address) && (IPAddress.IsLoopback(address) || server.Listen.Any(listen => address.Equals(listen.EndPoint?.Address))));

    /// <summary>The socket lies in the data directory, 0600; the kernel says who is at its other end.</summary>
    private bool IsOwnerOnOwnSocket(HttpContext http)
    {
        if (OwnSocketOf(http) is not { } socket)
        {
            return false;
        }

        Span<byte> credentials = stackalloc byte[UcredBytes];
        if (socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials) != UcredBytes)
        {
            return false;
        }

        var uid = BitConverter.ToUInt32(credentials[4..]);
        return uid == 0 || uid == OwnProcess.UserId;
    }

    private static async Task<ReadOnlyMemory<byte>?> ReadBodyAsync(HttpRequest request)
    {
        if (!HasBody(request))
        {
            return ReadOnlyMemory<byte>.Empty;
        }

        using var body = new MemoryStream();
        var piece = new byte[8192];
        while (await request.Body.ReadAsync(piece) is var read and > 0)
        {
            body.Write(piece, 0, read);
            if (body.Length > BodyBytesMax)
            {
                return null;
            }
        }

        return body.ToArray();
    }
}
