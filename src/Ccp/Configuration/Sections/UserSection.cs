using System.Security.Cryptography;
using System.Text;

namespace Ccp.Configuration.Sections;

/// <summary><c>[[user]]</c>: users kept in the file.</summary>
internal static class UserSection
{
    /// <param name="keyNames">The keys a user may refer to.</param>
    /// <param name="isLocalMode">True: <c>auth.mode = "local"</c>, which states the local user, with or without a table.</param>
    public static IReadOnlyList<UserConfig> Read(IReadOnlyList<ConfigTable> tables, SecretReferences secrets, IReadOnlyList<LaneConfig> lanes, ISet<string> keyNames, bool isLocalMode)
    {
        var users = new List<UserConfig>();
        var linesOf = new Dictionary<string, int>();
        var linesOfTokens = new Dictionary<string, int>();
        foreach (var table in tables)
        {
            var name = Names.ReadOwn(table);
            if (name is not null)
            {
                Names.EnterOnce(table, "name", name, $"a user named \"{name}\"", linesOf);
            }

            var hash = ReadHash(table, secrets);
            if (hash is not null)
            {
                // A token that named two users would charge whichever came first.
                Names.EnterOnce(table, table.Has("token") ? "token" : "token_sha256", hash, "the same token", linesOfTokens);
            }

            var user = new UserConfig(name ?? "", hash, table.Flag("admin"), ReadKey(table, keyNames), table.Flag("billing"), BillingSection.Markup(table), ReadLaneOverride(table, lanes));
            if (isLocalMode && name == AuthConfig.LocalUser)
            {
                user = AsLocal(user, table);
            }

            var limits = LimitsSection.ReadOfUser(table, isCharged: user.IsAdmin != true && user.IsBilled != false);
            table.RefuseUnknown();
            users.Add(user with { Limits = limits });
        }

        if (isLocalMode && !users.Exists(user => user.Name == AuthConfig.LocalUser))
        {
            users.Add(new UserConfig(AuthConfig.LocalUser, TokenSha256: null, IsAdmin: false, Key: null, IsBilled: false, Markup: null));
        }

        return users;
    }

    private static UserConfig AsLocal(UserConfig user, ConfigTable table)
    {
        if (user.IsAdmin == true)
        {
            table.Refuse("admin", "with auth.mode = \"local\" every program on this host is this user, who therefore is no admin; leave it out");
        }

        if (user.IsBilled == true)
        {
            table.Refuse("billing", "with auth.mode = \"local\" this user is not charged; leave it out, or set auth.mode = \"tokens\"");
        }

        return user with { IsAdmin = false, IsBilled = false };
    }

    private static string? ReadLaneOverride(ConfigTable table, IReadOnlyList<LaneConfig> lanes)
    {
        var lane = table.TextOrEmpty("lane_override");
        return lane is not null && LaneSection.IsLane(table, "lane_override", lane, lanes) ? lane : null;
    }

    private static string? ReadKey(ConfigTable table, ISet<string> keyNames)
    {
        var key = table.TextOrEmpty("key");
        if (key is not null && !keyNames.Contains(key))
        {
            // The likeliest mistake is to write the key itself here, so it is not repeated.
            table.Refuse("key", keyNames.Count == 0
                ? "expected the name of a [[key]] of this file, and it has none"
                : $"expected the name of a [[key]] of this file: {string.Join(", ", keyNames.Select(name => $"\"{name}\""))}");
        }

        return key;
    }

    /// <returns>Lower-case hex; null when no token is stated or a problem was reported.</returns>
    private static string? ReadHash(ConfigTable table, SecretReferences secrets)
    {
        var stated = table.TextOfSecret("token_sha256");
        var token = secrets.Resolve(table, "token", out var unset);
        if (table.Has("token") && table.Has("token_sha256"))
        {
            table.Refuse("token", "token and token_sha256 are two ways to say one thing; keep one of them");
            return null;
        }

        if (unset is not null)
        {
            table.Refuse("token", $"the variable {unset} is not set");
        }

        if (token is not null)
        {
            return HashOf(table, token);
        }

        if (stated is null)
        {
            return null;
        }

        if (stated.Length == 64 && stated.All(char.IsAsciiHexDigit))
        {
            return stated.ToLowerInvariant();
        }

        table.Refuse("token_sha256", "expected 64 hexadecimal digits: the SHA-256 of the token");
        return null;
    }

    private static string? HashOf(ConfigTable table, Secret token)
    {
        // The version and variant digits are checked too: a token of another make would be refused at the door, every time.
        if (!Guid.TryParseExact(token.Reveal(), "D", out var uuid) || uuid.Version != 4 || uuid.Variant is < 8 or > 11)
        {
            table.Refuse("token", "what this refers to is not a token: expected a random UUID (version 4)");
            return null;
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(uuid.ToString("D"))));
    }
}
