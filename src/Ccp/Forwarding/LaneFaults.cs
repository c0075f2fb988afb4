using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Ccp.Forwarding;

/// <summary>What is wrong when a lane gives no answer, or says no.</summary>
internal static class LaneFaults
{
    private static readonly SearchValues<string> OperatorsCreditIsGone = SearchValues.Create(["credit balance is too low"], StringComparison.OrdinalIgnoreCase);

    /// <summary>True when logging in again, or asking again, does not help the caller: the operator's key or credit is what is wrong.</summary>
    public static bool IsAboutCcpsKey(HttpStatusCode status, ReadOnlySpan<byte> body) =>
        status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
        || (status == HttpStatusCode.BadRequest && Encoding.UTF8.GetString(body).AsSpan().ContainsAny(OperatorsCreditIsGone));

    /// <summary>What failed. The system's own words only: the HTTP library quotes the peer, which may have repeated a key, and addresses of what was asked.</summary>
    public static string Describe(Exception error) => error switch
    {
        UnreadableAuthoritiesException => error.Message,
        HttpRequestException
        {
            HttpRequestError: (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError) and var kind,
            InnerException: SocketException or AuthenticationException or IOException,
        } => $"{kind}: {error.InnerException.Message}",
        HttpRequestException { HttpRequestError: var kind, StatusCode: var status } => status is null ? $"{kind}" : $"{kind}: status {(int)status}",
        HttpIOException { HttpRequestError: var kind } => $"{kind}",
        IOException { InnerException: SocketException inner } => inner.Message,
        SocketException => error.Message,
        _ => error.GetType().Name,
    };
}
