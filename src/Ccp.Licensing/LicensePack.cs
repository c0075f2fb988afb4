using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ccp.Licensing;

/// <summary>A license with its signature, in one line of JSON.</summary>
/// <remarks>
/// Shape: <c>{"license":{…},"signature":"BASE64"}</c>. The signature is over the bytes of the <c>license</c> value as they stand,
/// or over its canonical form (RFC 8785): a pack that some tool has reformatted is the same license.
/// Errors: a <see cref="LicenseProblem"/> for any bytes whatever, never an exception.
/// </remarks>
internal static class LicensePack
{
    private const string License = "license";
    private const string Signature = "signature";

    /// <param name="trustedKeys">Public keys, 32 bytes each, by key id; several while one replaces another.</param>
    /// <param name="device">This host's, as <see cref="LicenseClaims.Device"/> has it; null: a license bound to a host is not valid here.</param>
    public static LicenseVerdict Verify(
        ReadOnlySpan<byte> pack,
        IReadOnlyDictionary<string, byte[]> trustedKeys,
        DateTimeOffset now,
        string? device = null)
    {
        if (pack.Trim(" \t\r\n"u8).IsEmpty)
        {
            return LicenseProblem.Missing;
        }

        try
        {
            var reader = new Utf8JsonReader(pack);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return LicenseProblem.Malformed;
            }

            if (StrictText.HasDuplicateMember(reader))
            {
                return LicenseProblem.DuplicateMember;
            }

            return Read(ref reader, pack, out var license, out var signature)
                ? Judge(license, signature, trustedKeys, now, device)
                : LicenseProblem.Malformed;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is how the reader refuses text that is not UTF-8, or half a surrogate pair.
            return LicenseProblem.Malformed;
        }
    }

    /// <summary>Puts together what came in two files: the license, and its signature in base64.</summary>
    public static byte[] Join(ReadOnlySpan<byte> license, string signature) =>
    [
        .. "{\"license\":"u8,
        .. license.Trim(" \t\r\n"u8),
        .. ",\"signature\":\""u8,
        .. Encoding.UTF8.GetBytes(JsonEncodedText.Encode(signature.Trim(), JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value),
        .. "\"}"u8,
    ];

    private static LicenseVerdict Judge(
        ReadOnlySpan<byte> license,
        ReadOnlySpan<byte> signature,
        IReadOnlyDictionary<string, byte[]> trustedKeys,
        DateTimeOffset now,
        string? device)
    {
        var claims = LicenseReader.Read(license, out var schema);
        if (claims is null)
        {
            return LicenseProblem.Malformed;
        }

        if (!trustedKeys.TryGetValue(claims.KeyId, out var key))
        {
            return LicenseProblem.KeyUnknown;
        }

        if (!Ed25519.Verify(license, signature, key) && !(CanonicalJson.Of(license) is { } canonical && Ed25519.Verify(canonical, signature, key)))
        {
            return LicenseProblem.SignatureInvalid;
        }

        // From here on the issuer speaks; what it said before was anybody's.
        return schema != LicenseClaims.Schema ? LicenseProblem.SchemaUnknown
            : !claims.HasBegun(now) ? LicenseVerdict.OutOfTime(LicenseProblem.NotYetValid, claims)
            : now >= claims.ExpiresAt ? LicenseVerdict.OutOfTime(LicenseProblem.Expired, claims)
            : claims.Device is not null && claims.Device != device ? LicenseProblem.WrongDevice
            : claims;
    }

    private static bool Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> pack, out ReadOnlySpan<byte> license, out byte[] signature)
    {
        license = default;
        signature = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals(License))
            {
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                var isObject = reader.TokenType == JsonTokenType.StartObject;
                reader.Skip();
                license = isObject ? pack[start..(int)reader.BytesConsumed] : default;
            }
            else if (reader.ValueTextEquals(Signature))
            {
                reader.Read();
                signature = reader.TokenType == JsonTokenType.String ? StrictText.Base64(reader.GetString()!) : [];
                reader.Skip();
            }
            else
            {
                reader.Skip();
            }
        }

        // One document and nothing after it.
        reader.Read();
        return !license.IsEmpty && signature.Length == Ed25519.SignatureBytes;
    }
}
