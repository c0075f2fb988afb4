using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Ccp.Configuration;
using Ccp.Refusals;
using Ccp.Routing;

namespace Ccp.Forwarding;

/// <summary>What is wrong when a lane gives no answer, or says no.</summary>
internal static class LaneFaults
{
    private static readonly SearchValues<string> OperatorsCreditIsGone = SearchValues.Create(["credit balance is too low"], StringComparison.OrdinalIgnoreCase);

    /// <summary>An error is looked at whole, or not passed on. No provider's is nearly as long.</summary>
    public const int ErrorBytesMax = 64 * 1024;

    /// <param name="body">More than <see cref="ErrorBytesMax"/> when the error is longer than that.</param>
    /// <returns>What the client is told instead of the error; null when it goes on as it came.</returns>
    public static Refusal? InsteadOf(LanePlan plan, HttpStatusCode status, bool isEncoded, ReadOnlySpan<byte> body)
    {
        // What a provider says to a caller's own login is that caller's to see.
        var isCcpsKey = plan.Lane.Header != LaneHeader.Passthrough;
        return isCcpsKey && IsAboutCcpsKey(status, body) ? AnswerWords.KeyRefused(plan.Lane, (int)status)
            : body.Length > ErrorBytesMax ? Unread($"and more than {ErrorBytesMax} bytes, which is no error that ccp can look at")
            : isCcpsKey && isEncoded && body.Length > 0 ? Unread("in an encoding that was not asked for and that ccp cannot look into")
            : isCcpsKey && RepeatedKey.IsIn(body, plan.Key) ? Unread("and repeated the key that ccp sent it")
            : null;

        Refusal Unread(string how) => AnswerWords.Unreadable(plan.Lane, $"answered with status {(int)status} {how}, so its words are not passed on");
    }

    /// <summary>True when logging in again, or asking again, does not help the caller: the operator's key or credit is what is wrong.</summary>
    private static bool IsAboutCcpsKey(HttpStatusCode status, ReadOnlySpan<byte> body) =>
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
