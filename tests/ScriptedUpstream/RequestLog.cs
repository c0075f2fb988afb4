using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ccp.ScriptedUpstream;

/// <summary>One JSON line per request. Credentials stand as the start of their SHA-256: enough to compare, nothing to steal.</summary>
internal sealed class RequestLog(string file) : IDisposable
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly HashSet<string> CredentialHeaders =
        new(["authorization", "x-api-key", "proxy-authorization", "cookie"], StringComparer.OrdinalIgnoreCase);

    private readonly StreamWriter _lines = new(file, append: true) { AutoFlush = true };
    private readonly Lock _lock = new();

    public void Write(RecordedRequest request)
    {
        var line = JsonSerializer.Serialize(
            new
            {
                method = request.Method,
                path = request.Target,
                http = request.HttpVersion,
                connection = request.ConnectionId,
                headers = request.Headers
                    .GroupBy(header => header.Name)
                    .ToDictionary(group => group.Key, group => string.Join(", ", group.Select(Shown))),
                body_bytes = request.Body.Length,
            },
            Plain);
        lock (_lock)
        {
            _lines.WriteLine(line);
        }
    }

    public void Dispose() => _lines.Dispose();

    private static string Shown((string Name, string Value) header)
    {
        if (!CredentialHeaders.Contains(header.Name))
        {
            return header.Value;
        }

        // The scheme is no secret, and the hash is then that of the token itself, whichever header brought it.
        var secret = header.Value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header.Value[7..] : header.Value;
        var scheme = header.Value[..^secret.Length];
        return $"{scheme}sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))[..16]}";
    }
}
