using System.Security.Cryptography;
using Ccp.Store;

namespace Ccp.Identity;

/// <summary>What a store knows its master key by. With another key every hash would look forged and no stored key could be read.</summary>
internal static class MasterKeyMark
{
    private const string Name = "master_key_check";

    public static void Set(Database database, MasterKey master) =>
        database.Run("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", Name, Of(master));

    public static bool Fits(Database database, MasterKey master) =>
        database.QueryFirst("SELECT value FROM meta WHERE key = $1", row => row.GetString(0), Name) == Of(master);

    private static string Of(MasterKey master) => Convert.ToHexStringLower(SHA256.HashData(master.Derive("ccp master key check v1")));
}
