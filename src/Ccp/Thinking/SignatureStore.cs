using Ccp.Store;

namespace Ccp.Thinking;

/// <summary>The signatures that outlive a restart: hashes, never signatures.</summary>
internal static class SignatureStore
{
    /// <returns>By expiry, as <see cref="SignatureMemory.Load"/> wants them; of too many, those that expire last.</returns>
    public static List<SignedBlock> Load(Database database, DateTimeOffset now, int max)
    {
        var blocks = database.Query(
            "SELECT hash, lane, expires_at_ms FROM thinking_signature WHERE expires_at_ms > $1 ORDER BY expires_at_ms DESC LIMIT $2",
            row => new SignedBlock(SignatureHash.FromBytes(row.GetFieldValue<byte[]>(0)), string.Intern(row.GetString(1)), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2))),
            now.ToUnixTimeMilliseconds(),
            max);
        blocks.Reverse();
        return blocks;
    }

    /// <param name="oldest">What expires before this goes: memory has forgotten it.</param>
    public static void Write(Database database, List<SignedBlock> blocks, DateTimeOffset oldest)
    {
        foreach (var block in blocks)
        {
            database.Run(
                "INSERT INTO thinking_signature (hash, lane, expires_at_ms) VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE SET lane = excluded.lane, expires_at_ms = excluded.expires_at_ms",
                SignatureHash.ToBytes(block.Hash),
                block.Lane,
                block.Expires.ToUnixTimeMilliseconds());
        }

        database.Run("DELETE FROM thinking_signature WHERE expires_at_ms < $1", oldest.ToUnixTimeMilliseconds());
    }
}
