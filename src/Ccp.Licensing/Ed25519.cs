using System.Reflection;
using System.Runtime.InteropServices;

namespace Ccp.Licensing;

/// <summary>Ed25519 signatures, by libsodium.</summary>
/// <remarks>
/// In the native executable libsodium is linked in. Elsewhere, in tests, the system's shared library is loaded.
/// Errors: <see cref="DllNotFoundException"/> when there is none; wrong lengths of one's own keys are bugs and throw, wrong bytes of others never do.
/// Source: RFC 8032; https://doc.libsodium.org/public-key_cryptography/public-key_signatures.
/// </remarks>
internal static partial class Ed25519
{
    public const int SeedBytes = 32;
    public const int PublicKeyBytes = 32;
    public const int SignatureBytes = 64;

    private const string Library = "libsodium";
    private const int SecretKeyBytes = 64;

    static Ed25519() => NativeLibrary.SetDllImportResolver(typeof(Ed25519).Assembly, Find);

    /// <summary>The public key that belongs to a seed; the seed is the private key as it is kept.</summary>
    public static byte[] PublicKeyOf(ReadOnlySpan<byte> seed)
    {
        var publicKey = new byte[PublicKeyBytes];
        Span<byte> secretKey = stackalloc byte[SecretKeyBytes];
        Expand(seed, publicKey, secretKey);
        secretKey.Clear();
        return publicKey;
    }

    /// <returns>The 64 bytes that <see cref="Verify"/> accepts for this message and the seed's public key, always the same ones.</returns>
    public static unsafe byte[] Sign(ReadOnlySpan<byte> message, ReadOnlySpan<byte> seed)
    {
        Span<byte> publicKey = stackalloc byte[PublicKeyBytes];
        Span<byte> secretKey = stackalloc byte[SecretKeyBytes];
        Expand(seed, publicKey, secretKey);
        var signature = new byte[SignatureBytes];
        fixed (byte* to = signature, from = message, key = secretKey)
        {
            Check(SignDetached(to, null, from, (ulong)message.Length, key));
        }

        secretKey.Clear();
        return signature;
    }

    /// <returns>False for anything but the right signature, whatever the bytes and their lengths.</returns>
    public static unsafe bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> publicKey)
    {
        if (signature.Length != SignatureBytes || publicKey.Length != PublicKeyBytes)
        {
            return false;
        }

        fixed (byte* signed = signature, from = message, key = publicKey)
        {
            return VerifyDetached(signed, from, (ulong)message.Length, key) == 0;
        }
    }

    private static unsafe void Expand(ReadOnlySpan<byte> seed, Span<byte> publicKey, Span<byte> secretKey)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(seed.Length, SeedBytes);
        fixed (byte* from = seed, shown = publicKey, kept = secretKey)
        {
            Check(SeedKeyPair(shown, kept, from));
        }
    }

    private static void Check(int result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException("libsodium could not sign.");
        }
    }

    private static nint Find(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
        {
            return 0;
        }

        // A system without the development package has the numbered name only.
        return NativeLibrary.TryLoad("libsodium.so.23", assembly, path, out var handle)
            || NativeLibrary.TryLoad("libsodium.so", assembly, path, out handle)
            ? handle
            : 0;
    }

    [LibraryImport(Library, EntryPoint = "crypto_sign_ed25519_seed_keypair")]
    private static unsafe partial int SeedKeyPair(byte* publicKey, byte* secretKey, byte* seed);

    [LibraryImport(Library, EntryPoint = "crypto_sign_ed25519_detached")]
    private static unsafe partial int SignDetached(byte* signature, ulong* signatureLength, byte* message, ulong messageLength, byte* secretKey);

    [LibraryImport(Library, EntryPoint = "crypto_sign_ed25519_verify_detached")]
    private static unsafe partial int VerifyDetached(byte* signature, byte* message, ulong messageLength, byte* publicKey);
}
