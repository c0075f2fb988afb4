using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ccp.ScriptedUpstream;

/// <summary>A certificate for 127.0.0.1 and localhost, and the authority that signed it, both made on the spot.</summary>
public sealed class UpstreamTls : IDisposable
{
    private UpstreamTls(X509Certificate2 certificate, string authorityPem)
    {
        Certificate = certificate;
        AuthorityPem = authorityPem;
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>The authority's certificate, which a client must trust; without it the server is a stranger.</summary>
    public string AuthorityPem { get; }

    public static UpstreamTls Create()
    {
        // A day back, so that a machine whose clock steps during the run still believes us.
        var from = DateTimeOffset.UtcNow.AddDays(-1);
        var until = from.AddDays(30);

        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=Scripted Upstream Authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authorityRequest.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        authorityRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, false));
        using var authority = authorityRequest.CreateSelfSigned(from, until);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var signed = request.Create(authority, from, until, RandomNumberGenerator.GetBytes(16));
        return new(signed.CopyWithPrivateKey(key), authority.ExportCertificatePem());
    }

    public void Dispose() => Certificate.Dispose();
}
