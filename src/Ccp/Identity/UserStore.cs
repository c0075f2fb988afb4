using System.Globalization;
using System.Security.Cryptography;
using Ccp.Configuration;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Identity;

/// <summary>The users' rows: read whole, written through the one writer. The file's users are laid over what the store says.</summary>
/// <param name="defaults">The limits of users who have none of their own.</param>
internal sealed class UserStore(KeyVault vault, UserLimits defaults, TimeProvider time)
{
    /// <returns>Every user that is not deleted, the file's statements applied.</returns>
    public IReadOnlyList<User> Load(Database database, IReadOnlyList<UserConfig> fileUsers)
    {
        var stated = fileUsers.ToDictionary(user => user.Name, StringComparer.Ordinal);
        return database.Query(
            """
            SELECT id, name, account_id, token_sha256, is_admin, is_disabled, is_billed, markup, key_name, upstream_key, is_from_file, created_at_ms, last_seen_at_ms, limits
            FROM user WHERE deleted_at_ms IS NULL ORDER BY name
            """,
            row => WithLimits(Apply(stated, Read(row))));
    }

    /// <summary>Gives every user of the file a row and an account, once.</summary>
    public void AdoptFileUsers(Database database, IReadOnlyList<UserConfig> fileUsers)
    {
        foreach (var user in fileUsers)
        {
            var known = database.Run("UPDATE user SET is_from_file = 1 WHERE name = $1 AND deleted_at_ms IS NULL", user.Name);
            if (known == 0)
            {
                // What the file says of it stays in the file: a line taken out there leaves nothing behind here.
                Insert(database, user.Name, token: null, isAdmin: false, isFromFile: true);
            }
        }
    }

    /// <returns>The new user's id.</returns>
    public long Insert(Database database, string name, TokenHash? token, bool isAdmin, bool isFromFile = false)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        database.RunOne("INSERT INTO account (opened_as, opened_at_ms) VALUES ($1, $2)", name, now);
        var account = LastId(database);
        database.RunOne(
            "INSERT INTO user (name, account_id, token_sha256, is_admin, is_from_file, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6)",
            name,
            account,
            token?.ToBytes(),
            isAdmin ? 1 : 0,
            isFromFile ? 1 : 0,
            now);
        return LastId(database);
    }

    public static long AccountOf(Database database, long userId) =>
        database.QueryFirst("SELECT account_id FROM user WHERE id = $1", row => row.GetInt64(0), userId);

    /// <returns>Also of a user who is deleted by now; null for one who never was.</returns>
    public static string? NameOf(Database database, long userId) => database.QueryFirst("SELECT name FROM user WHERE id = $1", row => row.GetString(0), userId);

    public static void SetToken(Database database, long userId, TokenHash token) =>
        database.RunOne("UPDATE user SET token_sha256 = $2 WHERE id = $1 AND deleted_at_ms IS NULL", userId, token.ToBytes());

    /// <param name="key">Null takes the key away.</param>
    public void SetUpstreamKey(Database database, long userId, Secret? key) =>
        database.RunOne("UPDATE user SET upstream_key = $2 WHERE id = $1 AND deleted_at_ms IS NULL", userId, key is null ? null : vault.Seal(key, userId));

    /// <summary>Null leaves a flag as the row has it, which is not always what the file's statements make of it.</summary>
    public static void SetFlags(Database database, long userId, bool? isAdmin, bool? isDisabled, bool? isBilled) =>
        database.RunOne(
            """
            UPDATE user SET is_admin = coalesce($2, is_admin), is_disabled = coalesce($3, is_disabled), is_billed = coalesce($4, is_billed)
            WHERE id = $1 AND deleted_at_ms IS NULL
            """,
            userId,
            Bit(isAdmin),
            Bit(isDisabled),
            Bit(isBilled));

    /// <param name="markup">Null: the one of <c>[billing]</c>.</param>
    public static void SetMarkup(Database database, long userId, decimal? markup) =>
        database.RunOne("UPDATE user SET markup = $2 WHERE id = $1 AND deleted_at_ms IS NULL", userId, markup?.ToString(CultureInfo.InvariantCulture));

    public static void SetLimits(Database database, long userId, StatedLimits limits) =>
        database.RunOne("UPDATE user SET limits = $2 WHERE id = $1 AND deleted_at_ms IS NULL", userId, LimitsJson.Write(limits));

    /// <summary>The row and the account stay: what was used and paid is history. The token is gone with this.</summary>
    public void Delete(Database database, long userId) =>
        database.RunOne(
            "UPDATE user SET deleted_at_ms = $2, token_sha256 = NULL, upstream_key = NULL WHERE id = $1 AND deleted_at_ms IS NULL",
            userId,
            time.GetUtcNow().ToUnixTimeMilliseconds());

    private static int? Bit(bool? flag) => flag is { } known ? known ? 1 : 0 : null;

    private static long LastId(Database database) => database.QueryFirst("SELECT last_insert_rowid()", row => row.GetInt64(0));

    private static User Apply(Dictionary<string, UserConfig> stated, User user)
    {
        if (!stated.TryGetValue(user.Name, out var file))
        {
            // Taken out of the file: disabled, not deleted. The balance and the history wait.
            return user.IsFromFile ? user with { IsDisabled = true } : user;
        }

        return user with
        {
            Token = file.TokenSha256 is { } hex ? TokenHash.FromBytes(Convert.FromHexString(hex)) : user.Token,
            IsAdmin = file.IsAdmin ?? user.IsAdmin,
            IsBilled = file.IsBilled ?? user.IsBilled,
            Markup = file.Markup ?? user.Markup,
            KeyName = file.Key ?? user.KeyName,
            LaneOverride = file.LaneOverride,
            OwnLimits = file.Limits.Over(user.StoredLimits),
        };
    }

    private User WithLimits(User user) => user with { Limits = user.OwnLimits.Over(defaults) };

    private static StatedLimits OpenLimits(string? limits, string name)
    {
        try
        {
            return LimitsJson.Read(limits);
        }
        catch (FormatException error)
        {
            // Without them the user would be let do anything.
            throw new StoreUnavailableException($"The stored limits of user {name} cannot be read: {error.Message} Restore a backup.", error);
        }
    }

    private Secret OpenKey(byte[] sealedKey, long userId, string name)
    {
        try
        {
            return vault.Open(sealedKey, userId);
        }
        catch (CryptographicException error)
        {
            throw new StoreUnavailableException($"The stored upstream key of user {name} cannot be opened: the row was changed, or comes from another store. Restore a backup.", error);
        }
    }

    private User Read(SqliteDataReader row)
    {
        var id = row.GetInt64(0);
        var limits = OpenLimits(row.IsDBNull(13) ? null : row.GetString(13), row.GetString(1));
        return new User(
            id,
            row.GetString(1),
            row.GetInt64(2),
            row.IsDBNull(3) ? null : TokenHash.FromBytes(row.GetFieldValue<byte[]>(3)),
            IsAdmin: row.GetInt64(4) == 1,
            IsDisabled: row.GetInt64(5) == 1,
            IsBilled: row.GetInt64(6) == 1,
            row.IsDBNull(7) ? null : decimal.Parse(row.GetString(7), CultureInfo.InvariantCulture),
            row.IsDBNull(8) ? null : row.GetString(8),
            row.IsDBNull(9) ? null : OpenKey(row.GetFieldValue<byte[]>(9), id, row.GetString(1)),
            LaneOverride: null,
            IsFromFile: row.GetInt64(10) == 1,
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(11)),
            row.IsDBNull(12) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(12)))
        {
            StoredLimits = limits,
            OwnLimits = limits,
        };
    }
}
