using System.Net.Sockets;
using System.Security.Authentication;

namespace Ccp.Forwarding;

/// <summary>Words for the log about why a lane gave no answer.</summary>
internal static class LaneFaults
{
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
