using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Ccp.Thinking;

/// <summary>What is kept of a signature: the first half of its SHA-256. It tells signatures apart and gives nothing of them away.</summary>
internal static class SignatureHash
{
    public const int SizeInBytes = 16;

    public static UInt128 Of(ReadOnlySpan<byte> signature)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(signature, hash);
        return FromBytes(hash[..SizeInBytes]);
    }

    public static UInt128 FromBytes(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt128BigEndian(bytes);

    public static byte[] ToBytes(UInt128 hash)
    {
        var bytes = new byte[SizeInBytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, hash);
        return bytes;
    }
}
