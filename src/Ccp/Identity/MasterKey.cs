using System.Security.Cryptography;
using System.Text;
using Ccp.Files;

namespace Ccp.Identity;

/// <summary>The secret that the store's other secrets are derived from: 32 bytes, from CCP_MASTER_KEY or a 0600 file in the data directory.</summary>
internal sealed class MasterKey
{
    public const int SizeInBytes = 32;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly byte[] _bytes;

    private MasterKey(byte[] bytes)
    {
        _bytes = bytes;
    }

    /// <summary>A key of its own for each use, so that none can be turned against another.</summary>
    public byte[] Derive(string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, _bytes, SizeInBytes, info: Encoding.UTF8.GetBytes(purpose));

    public static MasterKey FromBytes(byte[] bytes) => bytes.Length == SizeInBytes
        ? new MasterKey(bytes)
        : throw new ArgumentException("A master key has 32 bytes.", nameof(bytes));

    /// <param name="fromEnvironment">The value of CCP_MASTER_KEY: 64 hex digits or base64 of 32 bytes; null when it is not set.</param>
    /// <param name="filePath">Read, or made on the first start, when the variable is not set.</param>
    /// <param name="mayMake">False where a store stands already: a new key could not belong to it.</param>
    /// <exception cref="InvalidOperationException">The key is missing, malformed, or its file can be read by others. The message shows no part of it.</exception>
    public static MasterKey Load(string? fromEnvironment, string filePath, bool mayMake = true)
    {
        if (fromEnvironment is not null)
        {
            return Parse(fromEnvironment) ?? throw new InvalidOperationException("CCP_MASTER_KEY must be 64 hex digits or base64 of 32 bytes.");
        }

        if (!File.Exists(filePath))
        {
            return mayMake
                ? Create(filePath)
                : throw new InvalidOperationException($"There is no master key at {filePath}, and the store was made with one. Put it there from where it is kept, or set CCP_MASTER_KEY: without it the stored keys and the ledger's hashes cannot be read.");
        }

        if ((File.GetUnixFileMode(filePath) & ~OwnerOnly) != 0)
        {
            throw new InvalidOperationException($"{filePath} can be read by others; run: chmod 600 {filePath}");
        }

        return Parse(File.ReadAllText(filePath)) ?? throw new InvalidOperationException($"{filePath} does not hold a master key (64 hex digits). Restore it from a backup: without it the stored keys and the ledger's hashes cannot be read.");
    }

    private static MasterKey Create(string filePath)
    {
        var bytes = RandomNumberGenerator.GetBytes(SizeInBytes);

        // Before anything is hashed or sealed with it, name and all: a store without its key is worth nothing.
        DurableFile.Write(filePath, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes) + "\n"), overwrite: false);
        return new MasterKey(bytes);
    }

    private static MasterKey? Parse(string text)
    {
        var trimmed = text.Trim();
        try
        {
            var bytes = trimmed.Length == SizeInBytes * 2 ? Convert.FromHexString(trimmed) : Convert.FromBase64String(trimmed);
            return bytes.Length == SizeInBytes ? new MasterKey(bytes) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
