namespace Ccp.Refusals;

/// <summary>Every way ccp itself says no. What each looks like on the wire is <see cref="RefusalMap"/>'s business alone.</summary>
internal enum RefusalCode
{
    /// <summary>No token, or one that nobody holds.</summary>
    TokenUnknown,
    UserDisabled,
    UserExpired,

    /// <summary>The user may not call from where the call comes from.</summary>
    AddressNotAllowed,

    /// <summary>In local mode: the call may not be the local user's, but a web page's or another host's.</summary>
    NotFromLocalUser,

    /// <summary>Too many calls without a valid token came from one address.</summary>
    TooManyFailedTokens,

    /// <summary>As many calls are in progress as the user may have at once.</summary>
    ConcurrencyReached,
    RequestRateReached,
    TokenRateReached,

    /// <summary>The account is at zero or below; only a top-up helps.</summary>
    InsufficientCredit,

    /// <summary>The money is there, but held by calls in progress.</summary>
    FundsSpokenFor,
    DaySpendReached,
    MonthSpendReached,

    /// <summary>The spending limit is not reached, but would be by what calls in progress hold.</summary>
    SpendSpokenFor,
    ModelNotAllowed,
    ModelNotPriced,
    BodyTooLarge,

    /// <summary>The request's body was not there within minutes.</summary>
    BodyTooSlow,
    BodyMalformed,
    UnknownPath,
    MethodNotAllowed,

    /// <summary>The lane has no key for this caller.</summary>
    NoUpstreamKey,

    /// <summary>The lane passes on the caller's own login, and the call brought none.</summary>
    NoOwnLogin,

    /// <summary>The upstream refused a key that ccp holds.</summary>
    UpstreamKeyRefused,

    /// <summary>The upstream could not be reached, or broke off before its answer began.</summary>
    LaneUnreachable,
    LaneTimedOut,

    /// <summary>The lane has failed again and again; it is tried again in a moment.</summary>
    LaneDownBriefly,

    /// <summary>It has failed for so long that a client had better stop and say so.</summary>
    LaneDown,

    /// <summary>The tokens that the operator allows a lane are used up, and no other lane takes the call.</summary>
    QuotaReached,

    /// <summary>The upstream's answer is in a form that cannot be metered.</summary>
    UpstreamAnswerUnreadable,

    /// <summary>The ledger cannot write; nothing may be served unbilled.</summary>
    LedgerUnavailable,
    ShuttingDown,
    InternalError,
}
