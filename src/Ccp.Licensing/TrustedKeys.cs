using System.Reflection;

namespace Ccp.Licensing;

/// <summary>The public keys that licenses are checked against. They are compiled in: nothing at run time can add one to a release build.</summary>
/// <remarks>
/// The build property <c>CcpLicenseKeys</c> holds them as <c>kid=BASE64</c>, several parted by commas while one replaces another. A build without it trusts
/// nobody's licenses. The build property <c>CcpBuildProfile</c> is <c>release</c> unless it is set to <c>dev</c>; a dev build also takes keys from the environment, in the
/// same form.
/// </remarks>
internal static class TrustedKeys
{
    private const string Property = "CcpLicenseKeys";

    public static IReadOnlyDictionary<string, byte[]> CompiledIn { get; } = Parse(
        typeof(TrustedKeys).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(metadata => metadata.Key == Property)?.Value ?? "");

    /// <summary>Where a dev build finds more keys.</summary>
    public const string Variable = "CCP_LICENSE_PUBKEY_B64";

    public static bool IsDevBuild =>
#if CCP_DEV_BUILD
        true;
#else
        false;
#endif

    /// <param name="variable">The value of <see cref="Variable"/>; null when it is not set.</param>
    /// <param name="problem">What to tell the operator about the variable; null when there is nothing to tell.</param>
    public static IReadOnlyDictionary<string, byte[]> With(string? variable, bool isDevBuild, out string? problem)
    {
        problem = null;
        if (string.IsNullOrWhiteSpace(variable))
        {
            return CompiledIn;
        }

        if (!isDevBuild)
        {
            problem = $"{Variable} is ignored: this is a release build, which trusts the license keys it was built with and no others.";
            return CompiledIn;
        }

        try
        {
            var keys = new Dictionary<string, byte[]>(CompiledIn, StringComparer.Ordinal);
            foreach (var (id, key) in Parse(variable))
            {
                keys[id] = key;
            }

            return keys;
        }
        catch (FormatException)
        {
            problem = $"{Variable} is ignored: it must be kid=BASE64[,kid=BASE64], with 32 bytes each and no kid twice.";
            return CompiledIn;
        }
    }

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
