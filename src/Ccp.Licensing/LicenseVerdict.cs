using System.Diagnostics.CodeAnalysis;

namespace Ccp.Licensing;

/// <summary>What became of a pack: its claims, or the reason why it counts for nothing.</summary>
internal readonly record struct LicenseVerdict
{
    private LicenseVerdict(LicenseClaims? claims, LicenseProblem? problem, LicenseDates? dates = null) => (Claims, Problem, Dates) = (claims, problem, dates);

    /// <summary>Null unless the license is valid: no one can read a claim that was not verified.</summary>
    public LicenseClaims? Claims { get; }

    public LicenseProblem? Problem { get; }

    /// <summary>When a license that is well signed, and does not count at this moment, would.</summary>
    public LicenseDates? Dates { get; }

    [MemberNotNullWhen(true, nameof(Claims))]
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool IsValid => Claims is not null;

    public static implicit operator LicenseVerdict(LicenseClaims claims) => new(claims, null);

    /// <param name="claims">Verified.</param>
    public static LicenseVerdict OutOfTime(LicenseProblem problem, LicenseClaims claims) => new(null, problem, new LicenseDates(claims.NotBefore > claims.IssuedAt ? claims.NotBefore.Value : claims.IssuedAt, claims.ExpiresAt));

    public static implicit operator LicenseVerdict(LicenseProblem problem) => new(null, problem);
}

/// <summary>From when until when a license is valid.</summary>
internal readonly record struct LicenseDates(DateTimeOffset From, DateTimeOffset Until);

/// <summary>Why a license does not count.</summary>
internal enum LicenseProblem
{
    /// <summary>There are no bytes.</summary>
    Missing,

    /// <summary>Not <c>{"license":{…},"signature":"BASE64"}</c>, or a claim is missing or of the wrong kind.</summary>
    Malformed,

    /// <summary>A member is named twice: two parsers could read two licenses.</summary>
    DuplicateMember,

    /// <summary>Signed with a key that is not among the trusted ones.</summary>
    KeyUnknown,

    /// <summary>The signature is not that key's over these bytes.</summary>
    SignatureInvalid,

    /// <summary>Well signed, but of another schema than this program knows.</summary>
    SchemaUnknown,

    /// <summary>Issued in this host's future, or its own beginning is still to come.</summary>
    NotYetValid,
    Expired,

    /// <summary>Bound to another host.</summary>
    WrongDevice,
}
