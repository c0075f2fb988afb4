using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ccp.Forwarding;

/// <summary>The certificate authorities that upstreams are checked against: the host's, and an extra file's.</summary>
/// <remarks>
/// OpenSSL is linked into the executable and looks where Debian keeps its roots; other systems keep them elsewhere. The host's are therefore read here.
/// </remarks>
internal sealed class TrustedRoots
{
    private static readonly string[] KnownBundles =
    [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];

    private TrustedRoots(X509ChainPolicy policy, string? problem)
    {
        ChainPolicy = policy;
        Problem = problem;
    }

    public X509ChainPolicy ChainPolicy { get; }

    /// <summary>Null when there are roots; else what to say: nothing over TLS can be reached without them.</summary>
    public string? Problem { get; }

    /// <param name="caFile">Extra roots (PEM); null for none.</param>
    /// <param name="certFile">SSL_CERT_FILE; takes the place of the host's bundle.</param>
    /// <param name="certDirectory">SSL_CERT_DIR; its PEM files take the place of the host's bundle.</param>
    /// <exception cref="CryptographicException">A file that was named holds no certificates.</exception>
    public static TrustedRoots Load(string? caFile, string? certFile, string? certDirectory)
    {
        var roots = new X509Certificate2Collection();
        if (certFile is not null)
        {
            roots.ImportFromPemFile(certFile);
        }
        else if (certDirectory is not null && Directory.Exists(certDirectory))
        {
            foreach (var file in Directory.EnumerateFiles(certDirectory).Where(file => file.EndsWith(".pem", StringComparison.Ordinal) || file.EndsWith(".crt", StringComparison.Ordinal)))
            {
                roots.ImportFromPemFile(file);
            }
        }
        else if (KnownBundles.FirstOrDefault(File.Exists) is { } bundle)
        {
            roots.ImportFromPemFile(bundle);
        }

        var problem = roots.Count > 0 ? null : $"no trusted certificate authorities were found (looked at {string.Join(", ", KnownBundles)}); install ca-certificates or set SSL_CERT_FILE";
        if (caFile is not null)
        {
            roots.ImportFromPemFile(caFile);
            problem = null;
        }

        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,

            // Upstreams answer without revocation lists being fetched first, as every browser and client does.
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(roots);
        return new TrustedRoots(policy, problem);
    }
}
