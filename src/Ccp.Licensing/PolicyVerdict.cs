using System.Diagnostics.CodeAnalysis;

namespace Ccp.Licensing;

/// <summary>What a policy pack says. Routes only: where lanes are and which keys they have is the operator's own to say.</summary>
/// <param name="Version">The publisher's word for it.</param>
internal sealed record PolicyClaims(string Version, DateTimeOffset ExpiresAt, IReadOnlyList<PolicyRoute> Routes);

/// <param name="Pattern">Of models.</param>
/// <param name="Lane">A lane that there is, under its own name.</param>
internal sealed record PolicyRoute(string Pattern, string Lane);

/// <summary>What became of a policy pack: what it says, or the reason why it counts for nothing.</summary>
internal readonly record struct PolicyVerdict
{
    private PolicyVerdict(PolicyClaims? claims, PolicyProblem? problem) => (Claims, Problem) = (claims, problem);

    public PolicyClaims? Claims { get; }

    public PolicyProblem? Problem { get; }

    [MemberNotNullWhen(true, nameof(Claims))]
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool IsValid => Claims is not null;

    public static implicit operator PolicyVerdict(PolicyClaims claims) => new(claims, null);

    public static implicit operator PolicyVerdict(PolicyProblem problem) => new(null, problem);
}

/// <summary>Why a policy pack does not count.</summary>
internal enum PolicyProblem
{
    /// <summary>The signature is not one of the trusted keys' over these bytes.</summary>
    SignatureInvalid,

    /// <summary>Well signed, and no policy: a member is missing, of the wrong kind or named twice.</summary>
    Malformed,

    /// <summary>A route leads to a lane that there is not.</summary>
    LaneUnknown,
    Expired,
}
