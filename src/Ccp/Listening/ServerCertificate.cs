using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ccp.Listening;

/// <summary>The certificate that ccp shows, read again when its file changes: renewals need no restart.</summary>
internal sealed class ServerCertificate : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly string _certificatePath;
    private readonly string _keyPath;
    private readonly TimeProvider _time;
    private X509Certificate2 _current;
    private DateTime _readFrom;
    private long _lookedAt;

    /// <exception cref="CryptographicException">The files do not hold a certificate and its key.</exception>
    public ServerCertificate(string certificatePath, string keyPath, TimeProvider time)
    {
        _certificatePath = certificatePath;
        _keyPath = keyPath;
        _time = time;
        _lookedAt = time.GetTimestamp();
        _readFrom = File.GetLastWriteTimeUtc(certificatePath);
        _current = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
    }

    public X509Certificate2 Current()
    {
        lock (_lock)
        {
            if (_time.GetElapsedTime(_lookedAt) < LookEvery)
            {
                return _current;
            }

            _lookedAt = _time.GetTimestamp();
            var changed = File.GetLastWriteTimeUtc(_certificatePath);
            if (changed != _readFrom)
            {
                try
                {
                    // The old one is left to the garbage collector: a handshake may still be using it.
                    _current = X509Certificate2.CreateFromPemFile(_certificatePath, _keyPath);
                    _readFrom = changed;
                }
                catch (Exception error) when (error is CryptographicException or IOException)
                {
                    // Half written, as renewals are for a moment: the one in use serves on, and the next look tries again.
                }
            }

            return _current;
        }
    }

    public void Dispose() => _current.Dispose();
}
