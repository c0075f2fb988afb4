using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ccp.Licensing;

/// <summary>A license and its signature, as an issuer gives them out.</summary>
/// <param name="License">JSON in its canonical form, which is what the signature is over: any tool may reformat it.</param>
/// <param name="Signature">Base64.</param>
internal sealed record SignedLicense(string License, string Signature)
{
    /// <summary>Both, in one line of JSON.</summary>
    public string Pack => $"{{\"license\":{License},\"signature\":\"{Signature}\"}}";

    /// <param name="claims">Their key id must be the key's own.</param>
    /// <param name="nonce">Makes two licenses of the same claims different.</param>
    public static SignedLicense Sign(LicenseClaims claims, string nonce, SigningKey key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(claims.KeyId, key.Id);
        var license = CanonicalJson.Of(Json(claims, nonce))!;
        return new SignedLicense(Encoding.UTF8.GetString(license), Convert.ToBase64String(key.Sign(license)));
    }

    private static ReadOnlySpan<byte> Json(LicenseClaims claims, string nonce)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("schema"u8, LicenseClaims.Schema);
        json.WriteString("sub"u8, claims.Subject);
        json.WriteString("plan"u8, claims.Plan);
        json.WriteStartArray("features"u8);
        foreach (var feature in claims.Features)
        {
            json.WriteStringValue(feature);
        }

        json.WriteEndArray();
        json.WriteNumber("iat"u8, claims.IssuedAt.ToUnixTimeSeconds());
        if (claims.NotBefore is { } notBefore)
        {
            json.WriteNumber("nbf"u8, notBefore.ToUnixTimeSeconds());
        }

        json.WriteNumber("exp"u8, claims.ExpiresAt.ToUnixTimeSeconds());
        json.WriteString("kid"u8, claims.KeyId);
        if (claims.Device is { } device)
        {
            json.WriteString("device"u8, device);
        }

        json.WriteString("nonce"u8, nonce);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }
}
