using System.Reflection;

namespace Ccp.Licensing;

/// <summary>The public keys that licenses are checked against. They are compiled in: nothing at run time can add one.</summary>
/// <remarks>
/// The build property <c>CcpLicenseKeys</c> holds them as <c>kid=BASE64</c>, several parted by commas while one replaces another. A build without it trusts
/// nobody's licenses.
/// </remarks>
internal static class TrustedKeys
{
    private const string Property = "CcpLicenseKeys";

    public static IReadOnlyDictionary<string, byte[]> CompiledIn { get; } = Parse(
        typeof(TrustedKeys).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(metadata => metadata.Key == Property)?.Value ?? "");

    /// <exception cref="FormatException">The build was given something else.</exception>
    public static IReadOnlyDictionary<string, byte[]> Parse(string keys)
    {
        var parsed = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var pair in keys.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            // Base64 may end in equals signs; a key id has none.
            if (pair.Split('=', 2) is not [{ Length: > 0 } id, var base64]
                || Convert.FromBase64String(base64) is not { Length: Ed25519.PublicKeyBytes } key
                || !parsed.TryAdd(id, key))
            {
                throw new FormatException($"{Property} must be kid=BASE64[,kid=BASE64], with 32 bytes each and no kid twice.");
            }
        }

        return parsed;
    }
}
