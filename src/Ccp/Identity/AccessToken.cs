using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Ccp.Identity;

/// <summary>A user's token: a version 4 UUID in its 36 characters. Shown once, kept nowhere.</summary>
internal static class AccessToken
{
    /// <summary>Tokens longer than this are not looked at.</summary>
    private const int LengthMax = 256;

    public static string New() => Guid.NewGuid().ToString();

    /// <summary>The hash a token is kept and found by. A UUID is hashed in lower case, however it was typed.</summary>
    public static TokenHash? HashOf(ReadOnlySpan<char> token)
    {
        if (token.IsEmpty || token.Length > LengthMax)
        {
            return null;
        }

        Span<byte> utf8 = stackalloc byte[LengthMax * 3];
        Span<char> lower = stackalloc char[LengthMax];
        token.ToLowerInvariant(lower);
        var length = Encoding.UTF8.GetBytes(lower[..token.Length], utf8);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..length], hash);
        return new TokenHash(MemoryMarshal.Read<UInt128>(hash), MemoryMarshal.Read<UInt128>(hash[16..]));
    }
}

/// <summary>SHA-256 of a token. Comparing hashes of 122 random bits tells a stranger nothing through time.</summary>
internal readonly record struct TokenHash(UInt128 First, UInt128 Second)
{
    public static TokenHash FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == SHA256.HashSizeInBytes
        ? new TokenHash(MemoryMarshal.Read<UInt128>(bytes), MemoryMarshal.Read<UInt128>(bytes[16..]))
        : throw new ArgumentException("A token hash has 32 bytes.", nameof(bytes));

    public byte[] ToBytes()
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        MemoryMarshal.Write(bytes, First);
        MemoryMarshal.Write(bytes.AsSpan(16), Second);
        return bytes;
    }

    public override string ToString() => Convert.ToHexStringLower(ToBytes());
}
