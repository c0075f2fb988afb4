namespace Ccp.Licensing;

/// <summary>What a license says.</summary>
/// <param name="Subject">Whom it was given to. Never logged.</param>
/// <param name="Plan"><c>trial</c>, <c>pro</c> or <c>enterprise</c>; new ones may come, features decide.</param>
/// <param name="Features">What it allows, such as <c>zai_offload</c>.</param>
/// <param name="IssuedAt">UTC; not valid before.</param>
/// <param name="ExpiresAt">UTC; not valid from here on.</param>
/// <param name="KeyId">Which trusted key signed it.</param>
/// <param name="Device">Base64 SHA-256 of the one host it is for; null: any.</param>
internal sealed record LicenseClaims(
    string Subject,
    string Plan,
    IReadOnlyList<string> Features,
    DateTimeOffset IssuedAt,
    DateTimeOffset ExpiresAt,
    string KeyId,
    string? Device)
{
    /// <summary>The one schema there is; a license of another is refused, not guessed at.</summary>
    public const string Schema = "ccp.license.v1";

    public bool Grants(string feature) => Features.Contains(feature, StringComparer.Ordinal);
}
