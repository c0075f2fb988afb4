using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Ccp.Configuration;

namespace Ccp.Identity;

/// <summary>Encrypts users' own upstream keys at rest: AES-256-GCM, bound to the user they belong to.</summary>
/// <remarks>Shape of the bytes: version (1), nonce (12), tag (16), ciphertext.</remarks>
internal sealed class KeyVault(MasterKey master) : IDisposable
{
    private const byte Version = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int HeadBytes = 1 + NonceBytes + TagBytes;

    private readonly AesGcm _cipher = new(master.Derive("ccp upstream keys v1"), TagBytes);

    public byte[] Seal(Secret key, long userId)
    {
        var plain = Encoding.UTF8.GetBytes(key.Reveal());
        var sealedBytes = new byte[HeadBytes + plain.Length];
        sealedBytes[0] = Version;
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(1, NonceBytes));
        _cipher.Encrypt(
            sealedBytes.AsSpan(1, NonceBytes),
            plain,
            sealedBytes.AsSpan(HeadBytes),
            sealedBytes.AsSpan(1 + NonceBytes, TagBytes),
            BoundTo(userId));
        CryptographicOperations.ZeroMemory(plain);
        return sealedBytes;
    }

    /// <exception cref="CryptographicException">The bytes were changed, belong to another user, or were sealed with another master key.</exception>
    public Secret Open(ReadOnlySpan<byte> sealedBytes, long userId)
    {
        if (sealedBytes.Length < HeadBytes || sealedBytes[0] != Version)
        {
            throw new CryptographicException("Not a sealed key.");
        }

        var plain = new byte[sealedBytes.Length - HeadBytes];
        _cipher.Decrypt(sealedBytes.Slice(1, NonceBytes), sealedBytes[HeadBytes..], sealedBytes.Slice(1 + NonceBytes, TagBytes), plain, BoundTo(userId));
        return new Secret(Encoding.UTF8.GetString(plain));
    }

    public void Dispose() => _cipher.Dispose();

    // A row copied onto another user does not open.
    private static byte[] BoundTo(long userId)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, userId);
        return bytes;
    }
}
