namespace Ccp.Licensing;

/// <summary>What a license says.</summary>
/// <param name="Subject">Whom it was given to. Never logged.</param>
/// <param name="Plan"><c>trial</c>, <c>pro</c> or <c>enterprise</c>; new ones may come, features decide.</param>
/// <param name="Features">What it allows, such as <c>zai_offload</c>.</param>
/// <param name="IssuedAt">UTC; not valid before, but for <see cref="ClockTolerance"/>.</param>
/// <param name="ExpiresAt">UTC; not valid from here on.</param>
/// <param name="KeyId">Which trusted key signed it.</param>
/// <param name="Device">The one host it is for, as <see cref="LicenseDevice"/> names it; null: any.</param>
/// <param name="NotBefore">UTC; a later beginning than the issue, to the second. Null: none.</param>
internal sealed record LicenseClaims(
    string Subject,
    string Plan,
    IReadOnlyList<string> Features,
    DateTimeOffset IssuedAt,
    DateTimeOffset ExpiresAt,
    string KeyId,
    string? Device,
    DateTimeOffset? NotBefore = null)
{
    /// <summary>The one schema there is; a license of another is refused, not guessed at.</summary>
    public const string Schema = "ccp.license.v1";

    /// <summary>How far the issuer's clock may be ahead of this host's: a license that was just issued is valid at once.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    public bool HasBegun(DateTimeOffset now) => now >= IssuedAt - ClockTolerance && !(now < NotBefore);

    public bool Grants(string feature) => Features.Contains(feature, StringComparer.Ordinal);
}
