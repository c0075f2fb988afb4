using System.Text.Json;

namespace Ccp.Licensing;

/// <summary>Reads the claims out of a license, verified or not.</summary>
internal static class LicenseReader
{
    // The last second of the year 9999: beyond it a number is no date.
    private const long UnixSecondsMax = 253_402_300_799;

    /// <summary>Members it does not know are left alone: a later issuer may say more.</summary>
    /// <returns>Null when a claim is missing or of the wrong kind.</returns>
    /// <exception cref="JsonException">The bytes are no JSON.</exception>
    public static LicenseClaims? Read(ReadOnlySpan<byte> license, out string? schema)
    {
        string? subject = null, plan = null, keyId = null, device = null;
        List<string>? features = null;
        DateTimeOffset? issuedAt = null, expiresAt = null, notBefore = null;
        var (isDeviceGiven, isNotBeforeGiven) = (false, false);
        schema = null;
        var reader = new Utf8JsonReader(license);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            switch (name)
            {
                case "schema":
                    schema = Text(ref reader);
                    break;
                case "sub":
                    subject = Text(ref reader);
                    break;
                case "plan":
                    plan = Text(ref reader);
                    break;
                case "kid":
                    keyId = Text(ref reader);
                    break;
                case "device":
                    isDeviceGiven = reader.TokenType != JsonTokenType.Null;
                    device = Text(ref reader);
                    break;
                case "features":
                    features = Texts(ref reader);
                    break;
                case "iat":
                    issuedAt = Instant(ref reader);
                    break;
                case "nbf":
                    isNotBeforeGiven = reader.TokenType != JsonTokenType.Null;
                    notBefore = Instant(ref reader);
                    break;
                case "exp":
                    expiresAt = Instant(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        // A binding that cannot be read must not become no binding, nor a beginning none.
        return isDeviceGiven == (device is not null) && isNotBeforeGiven == (notBefore is not null)
            && schema is not null && subject is not null && plan is not null && keyId is not null && features is not null
            && issuedAt is { } from && expiresAt is { } until
            ? new LicenseClaims(subject, plan, features, from, until, keyId, device, notBefore)
            : null;
    }

    private static string? Text(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString();
        }

        reader.Skip();
        return null;
    }

    private static DateTimeOffset? Instant(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var seconds) && seconds is >= 0 and <= UnixSecondsMax)
        {
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        }

        reader.Skip();
        return null;
    }

    private static List<string>? Texts(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return null;
        }

        var texts = new List<string>();
        var areTexts = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var text = Text(ref reader);
            areTexts &= text is not null;
            texts.Add(text ?? "");
        }

        return areTexts ? texts : null;
    }
}
