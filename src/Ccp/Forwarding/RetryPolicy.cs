using System.Net;
using Ccp.Configuration;
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
/// <remarks>A fallback was planned when the call came. Whether calls may go there is asked when it would be taken.</remarks>
internal static class RetryPolicy
{
    private const int ServerErrors = 500;

    /// <returns>Null: what came is the answer.</returns>
    public static Setback? Judge(HttpStatusCode status, LanePlan plan, bool mayChangeForm, Func<LaneConfig, bool> mayGoTo) => status switch
    {
        HttpStatusCode.Unauthorized when mayChangeForm => Setback.FormRefused,
        HttpStatusCode.TooManyRequests when IsCcpsToSolve(plan.Lane) && HasFallback(plan, mayGoTo) => Setback.OverQuota,
        _ when IsLanesFailure(status) && HasFallback(plan, mayGoTo) => Setback.LaneFailed,
        _ => null,
    };

    /// <summary>Whether it broke before a byte was sent. One that breaks later may have been worked on, and paid for.</summary>
    /// <param name="error">Not one that ccp asked for: then a cancellation is the connect timeout.</param>
    public static Setback? Judge(Exception error, LanePlan plan, Func<LaneConfig, bool> mayGoTo) => IsWithoutConnection(error) && HasFallback(plan, mayGoTo) ? Setback.NotConnected : null;

    /// <summary>For a call that found its lane left alone.</summary>
    public static Setback? JudgeDown(LanePlan plan, Func<LaneConfig, bool> mayGoTo) => HasFallback(plan, mayGoTo) ? Setback.LaneDown : null;

    /// <summary>A failure that counts against the lane: its own, whoever asks.</summary>
    public static bool IsLanesFailure(HttpStatusCode status) => (int)status >= ServerErrors;

    private static bool HasFallback(LanePlan plan, Func<LaneConfig, bool> mayGoTo) => plan.Fallback is { } other && mayGoTo(other.Lane);

    /// <summary>A limit of the operator's key. One of a caller's own login is the caller's to see, and nobody else pays for what lies beyond it.</summary>
    private static bool IsCcpsToSolve(LaneConfig lane) => lane.Name != BuiltInLanes.Anthropic && lane.Header != LaneHeader.Passthrough;

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
