using System.Text;
using System.Text.Json;

namespace Ccp.Licensing;

/// <summary>A policy pack: routes that somebody else publishes, with a detached signature.</summary>
/// <remarks>
/// Shape: <c>{"version":"…","expiresAt":"RFC 3339","routing":[{"pattern":"claude-haiku-*","lane":"zai"}]}</c>; the signature, base64 of Ed25519, is over the very bytes.
/// Members it does not know are left alone, <c>providers</c> among them: a pack must not be able to say where keys go.
/// Errors: a <see cref="PolicyProblem"/> for any bytes whatever, never an exception.
/// </remarks>
internal static class PolicyPack
{
    public const int BytesMax = 256 * 1024;
    public const int SignatureBytesMax = 1024;
    public const int RoutesMax = 1000;
    private const int TextLengthMax = 200;

    /// <param name="signature">As its file holds it: base64, perhaps with white space around.</param>
    /// <param name="trustedKeys">Public keys, 32 bytes each; several while one replaces another.</param>
    /// <param name="lanes">The names of the lanes that there are.</param>
    public static PolicyVerdict Verify(
        ReadOnlySpan<byte> pack,
        ReadOnlySpan<byte> signature,
        IReadOnlyList<byte[]> trustedKeys,
        IReadOnlyCollection<string> lanes,
        DateTimeOffset now)
    {
        if (pack.Length > BytesMax || signature.Length > SignatureBytesMax || !IsSigned(pack, StrictText.Base64(Encoding.UTF8.GetString(signature.Trim(" \t\r\n"u8))), trustedKeys))
        {
            return PolicyProblem.SignatureInvalid;
        }

        try
        {
            return Judge(pack, lanes, now);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is how the reader refuses text that is not UTF-8, or half a surrogate pair.
            return PolicyProblem.Malformed;
        }
    }

    private static bool IsSigned(ReadOnlySpan<byte> pack, byte[] signature, IReadOnlyList<byte[]> trustedKeys)
    {
        foreach (var key in trustedKeys)
        {
            if (Ed25519.Verify(pack, signature, key))
            {
                return true;
            }
        }

        return false;
    }

    private static PolicyVerdict Judge(ReadOnlySpan<byte> pack, IReadOnlyCollection<string> lanes, DateTimeOffset now)
    {
        var reader = new Utf8JsonReader(pack);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || StrictText.HasDuplicateMember(reader))
        {
            return PolicyProblem.Malformed;
        }

        string? version = null;
        DateTimeOffset? expiresAt = null;
        List<PolicyRoute>? routes = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            switch (name)
            {
                case "version":
                    version = Text(ref reader, mayHaveBlanks: true);
                    break;
                case "expiresAt":
                    expiresAt = Instant(ref reader);
                    break;
                case "routing":
                    routes = Routes(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return version is null || expiresAt is not { } until || routes is null ? PolicyProblem.Malformed
            : !routes.TrueForAll(route => lanes.Contains(route.Lane)) ? PolicyProblem.LaneUnknown
            : now >= until ? PolicyProblem.Expired
            : new PolicyClaims(version, until, routes);
    }

    private static List<PolicyRoute>? Routes(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return null;
        }

        var routes = new List<PolicyRoute>();
        var isWhole = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (Route(ref reader) is { } route && routes.Count < RoutesMax)
            {
                routes.Add(route);
            }
            else
            {
                isWhole = false;
            }
        }

        return isWhole ? routes : null;
    }

    private static PolicyRoute? Route(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        string? pattern = null, lane = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            switch (name)
            {
                case "pattern":
                    pattern = Text(ref reader);
                    break;
                case "lane":
                    lane = Text(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        // Older publishers call the default lane so.
        return pattern is null || lane is null ? null : new PolicyRoute(pattern, lane == "anth" ? "anthropic" : lane);
    }

    /// <returns>Null for what is no text, or none that can stand in a log line: printable and short.</returns>
    private static string? Text(ref Utf8JsonReader reader, bool mayHaveBlanks = false)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return null;
        }

        var text = reader.GetString()!;
        return text.Length is > 0 and <= TextLengthMax && text.All(c => c is > ' ' and <= '~' || (mayHaveBlanks && c == ' ')) ? text : null;
    }

    private static DateTimeOffset? Instant(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return null;
        }

        // A moment without an offset would be another one on every host.
        var text = reader.GetString()!;
        return text.Length >= 20 && (text[^1] is 'Z' || text[^6] is '+' or '-') && reader.TryGetDateTimeOffset(out var instant) ? instant : null;
    }
}
