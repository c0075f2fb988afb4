using System.Diagnostics.CodeAnalysis;

namespace Ccp.Licensing;

/// <summary>What became of a pack: its claims, or the reason why it counts for nothing.</summary>
internal readonly record struct LicenseVerdict
{
    private LicenseVerdict(LicenseClaims? claims, LicenseProblem? problem) => (Claims, Problem) = (claims, problem);

    /// <summary>Null unless the license is valid: no one can read a claim that was not verified.</summary>
    public LicenseClaims? Claims { get; }

    public LicenseProblem? Problem { get; }

    [MemberNotNullWhen(true, nameof(Claims))]
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool IsValid => Claims is not null;

    public static implicit operator LicenseVerdict(LicenseClaims claims) => new(claims, null);

    public static implicit operator LicenseVerdict(LicenseProblem problem) => new(null, problem);
}

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
