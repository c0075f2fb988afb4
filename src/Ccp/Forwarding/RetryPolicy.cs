using System.Net;
using Ccp.Configuration.Sections;
using Ccp.Routing;

namespace Ccp.Forwarding;

/// <summary>Why an attempt came to nothing although the call may be made once more. Nothing of it has reached the client.</summary>
internal enum Setback
{
    /// <summary>The key was refused in the header it came in.</summary>
    FormRefused,

    /// <summary>There was no connection, so nothing was sent.</summary>
    NotConnected,

    /// <summary>It was found to be left alone, so nothing was sent.</summary>
    LaneDown,

    /// <summary>The lane answered with an error of its own.</summary>
    LaneFailed,

    /// <summary>The lane has had enough of ccp for now.</summary>
    OverQuota,
}

/// <summary>Which failures may be answered with another attempt: those before the first byte of which it is known that they cost nothing.</summary>
internal static class RetryPolicy
{
    private const int ServerErrors = 500;

    /// <returns>Null: what came is the answer.</returns>
    public static Setback? Judge(HttpStatusCode status, LanePlan plan, bool mayChangeForm) => status switch
    {
        HttpStatusCode.Unauthorized when mayChangeForm => Setback.FormRefused,
        _ when plan.Fallback is null => null,
        HttpStatusCode.TooManyRequests when plan.Lane.Name != BuiltInLanes.Anthropic => Setback.OverQuota,
        _ when IsLanesFailure(status) => Setback.LaneFailed,
        _ => null,
    };

    /// <summary>Whether it broke before a byte was sent. One that breaks later may have been worked on, and paid for.</summary>
    /// <param name="error">Not one that ccp asked for: then a cancellation is the connect timeout.</param>
    public static Setback? Judge(Exception error, LanePlan plan) => plan.Fallback is not null && IsWithoutConnection(error) ? Setback.NotConnected : null;

    /// <summary>A failure that counts against the lane: its own, whoever asks.</summary>
    public static bool IsLanesFailure(HttpStatusCode status) => (int)status >= ServerErrors;

    /// <inheritdoc cref="IsLanesFailure(HttpStatusCode)"/>
    /// <param name="error">Not one that ccp asked for: then a cancellation is the connect timeout.</param>
    public static bool IsWithoutConnection(Exception error) => error is OperationCanceledException or HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
    };

    /// <summary>The word in the usage log.</summary>
    public static string ToReason(this Setback setback) => setback switch
    {
        Setback.NotConnected => "net_fallback",
        Setback.LaneDown => RouteReason.Down,
        Setback.LaneFailed => "fallback",
        Setback.OverQuota => "quota_overshoot",
        _ => throw new ArgumentOutOfRangeException(nameof(setback)),
    };
}
