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

    /// <exception cref="HttpRequestException">There are none, or a file of the host's cannot be read or does not hold certificates: no connection can be secure.</exception>
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
            try
            {
                policy.CustomTrustStore.ImportFromPemFile(file);
            }
            catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
            {
                throw Unreadable($"{file}: {error.Message.TrimEnd('.')}");
            }
        }

        // A client that trusts nobody would fail for as long as it is kept, also when the file has long been filled.
        return policy.CustomTrustStore.Count > 0 ? policy : throw Unreadable(Problem ?? $"{string.Join(", ", _hostFiles)} holds no certificate in PEM form");
    }

    private static UnreadableAuthoritiesException Unreadable(string why) => new($"the trusted certificate authorities cannot be read: {why}");

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

/// <summary>As the client library itself says that no connection came about, but in ccp's own words, which may be logged.</summary>
internal sealed class UnreadableAuthoritiesException(string message) : HttpRequestException(HttpRequestError.SecureConnectionError, message);
