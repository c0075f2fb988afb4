using System.Security.Cryptography;
using Ccp.Licenses;
using Ccp.Licensing;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Issuing;

/// <summary>Gives a license to whoever has an invite that can still be redeemed. Errors: <see cref="IssuerRefusedException"/>; <see cref="IOException"/> of the redemptions.</summary>
internal sealed class Issuer(SigningKey key, InviteBook invites, Redemptions redemptions, TimeProvider time, ILogger log)
{
    private const int EmailLengthMax = 254;

    /// <summary>The invite, if it can be redeemed at this moment.</summary>
    public Invite Find(string? code)
    {
        // One sentence for what is not there and what is misspelt: it tells a guesser nothing.
        var invite = invites.Find(code?.Trim() ?? "")
            ?? throw new IssuerRefusedException(403, "There is no such invite. Look at its code, or ask whoever gave it to you.");
        if (time.GetUtcNow() >= invite.ExpiresAt)
        {
            throw new IssuerRefusedException(403, "This invite has expired. Ask whoever gave it to you for another.");
        }

        return redemptions.IsUsedUp(invite.Code, invite.RedemptionsMax) ? throw UsedUp() : invite;
    }

    /// <param name="email">Whom the license is for; null: nobody by name.</param>
    /// <param name="device">The one host it is for; null: any.</param>
    public async Task<IssueAnswer> IssueAsync(string? code, string? email, string? device)
    {
        CheckEmail(email);
        CheckDevice(device);
        var invite = Find(code);
        if (await redemptions.TakeAsync(invite.Code, invite.RedemptionsMax) is not { } count)
        {
            throw UsedUp();
        }

        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var claims = new LicenseClaims(email ?? "anonymous", invite.Plan, invite.Features, now, now + invite.Lifetime, key.Id, device);
        var signed = SignedLicense.Sign(claims, RandomNumberGenerator.GetHexString(32, lowercase: true), key);
        log.LicenseIssued(claims.Plan, string.Join(", ", claims.Features), LicenseWords.Moment(claims.ExpiresAt), key.Id, count, invite.RedemptionsMax);
        using var license = System.Text.Json.JsonDocument.Parse(signed.License);
        return new IssueAnswer(
            license.RootElement.Clone(),
            signed.Signature,
            signed.Pack,
            Convert.ToBase64String(key.PublicKey),
            key.Id,
            claims.Plan,
            claims.Features,
            claims.ExpiresAt.ToUnixTimeSeconds());
    }

    public static void CheckEmail(string? email)
    {
        if (email is not null && (email.Length is < 3 or > EmailLengthMax || !email.Contains('@', StringComparison.Ordinal) || email.Any(c => char.IsControl(c) || char.IsSurrogate(c))))
        {
            throw new IssuerRefusedException(400, "email must be an address such as ann@example.org.");
        }
    }

    public static void CheckDevice(string? device)
    {
        if (device is not null && !LicenseDevice.IsId(device))
        {
            throw new IssuerRefusedException(400, "device must be the base64 of 32 bytes that ccp license status shows.");
        }
    }

    private static IssuerRefusedException UsedUp() => new(409, "This invite has been redeemed as often as it may be. Ask whoever gave it to you for another.");
}
