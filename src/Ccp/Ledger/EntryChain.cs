using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Ccp.Identity;

namespace Ccp.Ledger;

/// <summary>The hash that ties each entry to all before it. Without the master key nobody can make one that fits.</summary>
/// <remarks>
/// Shape of what is hashed: the previous hash (32 zero bytes before the first entry), a version byte, then id, time in ms, account, amount and
/// balance as big-endian 64-bit numbers, then kind, reference, actor and note, each as a 32-bit length and UTF-8 bytes.
/// </remarks>
internal sealed class EntryChain(MasterKey master)
{
    private const byte EncodingVersion = 1;

    public static readonly byte[] Genesis = new byte[HMACSHA256.HashSizeInBytes];

    private readonly byte[] _key = master.Derive("ccp ledger v1");

    /// <param name="entry">Its own <see cref="LedgerEntry.Hash"/> is not looked at.</param>
    public byte[] HashOf(ReadOnlySpan<byte> previousHash, LedgerEntry entry)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(previousHash);
        hash.AppendData([EncodingVersion]);
        AppendNumber(hash, entry.Id);
        AppendNumber(hash, entry.At.ToUnixTimeMilliseconds());
        AppendNumber(hash, entry.AccountId);
        AppendNumber(hash, entry.Amount.Value);
        AppendNumber(hash, entry.BalanceAfter.Value);
        AppendText(hash, entry.Kind.ToText());
        AppendText(hash, entry.Reference);
        AppendText(hash, entry.Actor);
        AppendText(hash, entry.Note);
        return hash.GetHashAndReset();
    }

    private static void AppendNumber(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        hash.AppendData(bytes);
    }

    private static void AppendText(IncrementalHash hash, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, utf8.Length);
        hash.AppendData(length);
        hash.AppendData(utf8);
    }
}
