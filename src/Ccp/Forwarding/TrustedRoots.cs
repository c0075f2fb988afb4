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

    private readonly X509Certificate2Collection _extra;
    private readonly IReadOnlyList<string> _hostFiles;

    private TrustedRoots(X509Certificate2Collection extra, IReadOnlyList<string> hostFiles)
    {
        _extra = extra;
        _hostFiles = hostFiles;
    }

    /// <summary>Null when there are roots; else what to say: nothing over TLS can be reached without them.</summary>
    public string? Problem => _hostFiles.Count > 0 || _extra.Count > 0
        ? null
        : $"no trusted certificate authorities were found (looked at {string.Join(", ", KnownBundles)}); install ca-certificates or set SSL_CERT_FILE";

    /// <summary>Finds the host's authorities and reads the extra file. The host's are read when the first upstream is called.</summary>
    /// <param name="caFile">Extra roots (PEM); null for none.</param>
    /// <param name="certFile">SSL_CERT_FILE; takes the place of the host's bundle.</param>
    /// <param name="certDirectory">SSL_CERT_DIR; its PEM files take the place of the host's bundle.</param>
    /// <exception cref="CryptographicException">The extra file holds no certificates.</exception>
    public static TrustedRoots Find(string? caFile, string? certFile, string? certDirectory)
    {
        var extra = new X509Certificate2Collection();
        if (caFile is not null)
        {
            extra.ImportFromPemFile(caFile);
            if (extra.Count == 0)
            {
                throw new CryptographicException($"{caFile} holds no certificate in PEM form.");
            }
        }

        return new TrustedRoots(extra, HostFiles(certFile, certDirectory));
    }

    /// <exception cref="CryptographicException">A file of the host's does not hold certificates.</exception>
    public X509ChainPolicy ToChainPolicy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,

            // Upstreams answer without revocation lists being fetched first, as every browser and client does.
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(_extra);
        foreach (var file in _hostFiles)
        {
            policy.CustomTrustStore.ImportFromPemFile(file);
        }

        return policy;
    }

    private static IReadOnlyList<string> HostFiles(string? certFile, string? certDirectory)
    {
        if (certFile is not null)
        {
            return [certFile];
        }

        if (certDirectory is not null && Directory.Exists(certDirectory))
        {
            return [.. Directory.EnumerateFiles(certDirectory).Where(file => Path.GetExtension(file) is ".pem" or ".crt")];
        }

        return KnownBundles.FirstOrDefault(File.Exists) is { } bundle ? [bundle] : [];
    }
}
