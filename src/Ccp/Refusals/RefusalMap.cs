using System.Diagnostics;

namespace Ccp.Refusals;

/// <summary>How a refusal looks to an Anthropic client.</summary>
/// <param name="RetryAfterSeconds">Null: no <c>retry-after</c> header.</param>
/// <param name="ClientMayRetry">False: <c>x-should-retry: false</c> is sent, and Claude Code stops at once.</param>
internal readonly record struct WireError(int Status, string Type, bool ClientMayRetry, int? RetryAfterSeconds = null);

/// <summary>The only place that knows a status code for a refusal.</summary>
internal static class RefusalMap
{
    /// <summary>A client sleeps through a wait of this length by itself; with a longer one it had better stop and say why.</summary>
    private const int SecondsWaitedMax = 60;

    public static WireError ToWire(Refusal refusal)
    {
        var wire = ToWire(refusal.Code);
        if (refusal.Wait is not { } wait)
        {
            return wire;
        }

        // Rounded up: a client that comes back a moment early is refused once more.
        var seconds = Math.Max(1, (int)Math.Min(int.MaxValue, Math.Ceiling(wait.TotalSeconds)));
        return wire with { RetryAfterSeconds = seconds, ClientMayRetry = wire.ClientMayRetry && seconds <= SecondsWaitedMax };
    }

    public static WireError ToWire(RefusalCode code) => code switch
    {
        RefusalCode.TokenUnknown => new(401, "authentication_error", ClientMayRetry: false),
        RefusalCode.UserDisabled => new(403, "permission_error", ClientMayRetry: false),
        RefusalCode.UserExpired => new(403, "permission_error", ClientMayRetry: false),
        RefusalCode.AddressNotAllowed => new(403, "permission_error", ClientMayRetry: false),
        RefusalCode.NotFromLocalUser => new(403, "permission_error", ClientMayRetry: false),
        RefusalCode.TooManyFailedTokens => new(429, "rate_limit_error", ClientMayRetry: true),
        RefusalCode.ConcurrencyReached => new(429, "rate_limit_error", ClientMayRetry: true, RetryAfterSeconds: 5),
        RefusalCode.RequestRateReached => new(429, "rate_limit_error", ClientMayRetry: true),
        RefusalCode.TokenRateReached => new(429, "rate_limit_error", ClientMayRetry: true),

        // Not 429: Claude Code would sleep and try again, and no wait refills a prepaid account.
        RefusalCode.InsufficientCredit => new(402, "billing_error", ClientMayRetry: false),
        RefusalCode.FundsSpokenFor => new(429, "rate_limit_error", ClientMayRetry: true, RetryAfterSeconds: 5),
        RefusalCode.DaySpendReached => new(402, "billing_error", ClientMayRetry: false),
        RefusalCode.MonthSpendReached => new(402, "billing_error", ClientMayRetry: false),
        RefusalCode.SpendSpokenFor => new(429, "rate_limit_error", ClientMayRetry: true, RetryAfterSeconds: 5),

        // Not 404, which the client hides behind its own words, and not 400, which it sends six times.
        RefusalCode.ModelNotAllowed => new(403, "permission_error", ClientMayRetry: false),
        RefusalCode.ModelNotPriced => new(403, "permission_error", ClientMayRetry: false),
        RefusalCode.BodyTooLarge => new(413, "request_too_large", ClientMayRetry: true),
        RefusalCode.BodyTooSlow => new(408, "invalid_request_error", ClientMayRetry: false),
        RefusalCode.BodyMalformed => new(400, "invalid_request_error", ClientMayRetry: true),
        RefusalCode.UnknownPath => new(404, "not_found_error", ClientMayRetry: true),
        RefusalCode.MethodNotAllowed => new(405, "invalid_request_error", ClientMayRetry: true),
        RefusalCode.NoUpstreamKey => new(503, "api_error", ClientMayRetry: false),

        // The one case where it is the user who must log in, which is what the client says to a 401.
        RefusalCode.NoOwnLogin => new(401, "authentication_error", ClientMayRetry: false),

        // Passed through, a 401 would tell the user to log in, which is nothing the user can do anything about.
        RefusalCode.UpstreamKeyRefused => new(503, "api_error", ClientMayRetry: false),
        RefusalCode.LaneUnreachable => new(503, "api_error", ClientMayRetry: true, RetryAfterSeconds: 5),
        RefusalCode.LaneTimedOut => new(503, "api_error", ClientMayRetry: true, RetryAfterSeconds: 5),
        RefusalCode.LaneDownBriefly => new(503, "api_error", ClientMayRetry: true),
        RefusalCode.LaneDown => new(503, "api_error", ClientMayRetry: false),
        RefusalCode.QuotaReached => new(429, "rate_limit_error", ClientMayRetry: true),
        RefusalCode.UpstreamAnswerUnreadable => new(502, "api_error", ClientMayRetry: false),
        RefusalCode.LedgerUnavailable => new(503, "api_error", ClientMayRetry: false),
        RefusalCode.ShuttingDown => new(503, "api_error", ClientMayRetry: true, RetryAfterSeconds: 5),
        RefusalCode.InternalError => new(500, "api_error", ClientMayRetry: false),
        _ => throw new UnreachableException($"{code} has no wire form."),
    };
}
