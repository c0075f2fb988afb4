using Ccp.Pricing;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Usage;

/// <summary>The sums of some request records.</summary>
internal sealed record UsageSums(long Requests, TokenUsage Tokens, NanoUsd Cost, NanoUsd Charge);

internal sealed record UserUsage(string Name, long AccountId, bool IsDeleted, DateTimeOffset? LastSeenAt, UsageSums Sums);

internal sealed record UsageGroup(string Key, UsageSums Sums);

internal sealed record DayAndModel(string Day, string Model, UsageSums Sums);

internal enum UsageGrouping
{
    Day,
    Model,
    User,
    Session,
}

/// <summary>What reports read. A name stands for every user who ever had it: a deleted one's history is history.</summary>
/// <remarks>Days are UTC. A period includes its beginning and not its end.</remarks>
internal static class UsageQueries
{
    private const string Sums =
        """
        count(r.id), coalesce(sum(r.input_tokens), 0), coalesce(sum(r.cache_write_5m_tokens), 0), coalesce(sum(r.cache_write_1h_tokens), 0),
        coalesce(sum(r.cache_read_tokens), 0), coalesce(sum(r.output_tokens), 0), coalesce(sum(r.cost_nano), 0), coalesce(sum(r.charge_nano), 0)
        """;

    private const string Day = "strftime('%Y-%m-%d', r.at_ms / 1000, 'unixepoch')";

    /// <summary>A deleted user's name with the account's number: it tells them from one who has the name now, and no user can be named so.</summary>
    public static string ShownName(string name, long account, bool isDeleted) => isDeleted ? $"{name}#{account}" : name;

    public static bool IsKnown(Database database, string name) =>
        database.QueryFirst("SELECT count(*) FROM user WHERE name = $1", row => row.GetInt64(0), name) > 0;

    /// <summary>As <see cref="ShownName"/>; null for an account that no user was ever made for.</summary>
    public static string? NameOf(Database database, long account) => database.QueryFirst(
        "SELECT name, deleted_at_ms IS NOT NULL FROM user WHERE account_id = $1",
        row => ShownName(row.GetString(0), account, row.GetInt64(1) == 1),
        account);

    /// <returns>A line for every user, deleted or not, used or not.</returns>
    public static List<UserUsage> ByUser(Database database, string? name, DateTimeOffset from, DateTimeOffset to) => database.Query(
        $"""
        SELECT u.name, u.account_id, u.deleted_at_ms IS NOT NULL, u.last_seen_at_ms, {Sums}
        FROM user u LEFT JOIN request r ON r.account_id = u.account_id AND r.at_ms >= $2 AND r.at_ms < $3
        WHERE $1 IS NULL OR u.name = $1
        GROUP BY u.id ORDER BY u.name, u.id
        """,
        row => new UserUsage(
            row.GetString(0),
            row.GetInt64(1),
            row.GetInt64(2) == 1,
            row.IsDBNull(3) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
            ReadSums(row, 4)),
        name,
        from.ToUnixTimeMilliseconds(),
        to.ToUnixTimeMilliseconds());

    /// <returns>Days in their order; everything else with the dearest first.</returns>
    public static List<UsageGroup> By(Database database, UsageGrouping grouping, string? name, DateTimeOffset from, DateTimeOffset to) => database.Query(
        $"""
        SELECT {KeyOf(grouping)} AS key, {Sums}
        FROM request r JOIN user u ON u.account_id = r.account_id
        WHERE ($1 IS NULL OR u.name = $1) AND r.at_ms >= $2 AND r.at_ms < $3
        GROUP BY key ORDER BY {(grouping == UsageGrouping.Day ? "key" : "sum(r.charge_nano) DESC, sum(r.cost_nano) DESC, key")}
        """,
        row => new UsageGroup(row.GetString(0), ReadSums(row, 1)),
        name,
        from.ToUnixTimeMilliseconds(),
        to.ToUnixTimeMilliseconds());

    public static List<DayAndModel> OfAccount(Database database, long account, DateTimeOffset from) => database.Query(
        $"SELECT {Day} AS day, r.model, {Sums} FROM request r WHERE r.account_id = $1 AND r.at_ms >= $2 GROUP BY day, r.model ORDER BY day, r.model",
        row => new DayAndModel(row.GetString(0), row.GetString(1), ReadSums(row, 2)),
        account,
        from.ToUnixTimeMilliseconds());

    /// <summary>Newest first.</summary>
    /// <param name="before">Only entries with a smaller id.</param>
    public static List<LedgerLine> Entries(Database database, string? name, long limit, long? before) => database.Query(
        """
        SELECT e.id, e.at_ms, u.name, u.deleted_at_ms IS NOT NULL, e.account_id, e.kind, e.amount_nano, e.balance_after_nano, e.reference, e.actor, e.note, e.hash
        FROM entry e LEFT JOIN user u ON u.account_id = e.account_id
        WHERE ($1 IS NULL OR e.account_id IN (SELECT account_id FROM user WHERE name = $1)) AND ($2 IS NULL OR e.id < $2)
        ORDER BY e.id DESC LIMIT $3
        """,
        LedgerLine.Read,
        name,
        before,
        limit);

    /// <summary>Newest first.</summary>
    /// <param name="before">The id of the request that the page before this one ended with.</param>
    public static List<RequestLine> Requests(Database database, string? name, long limit, string? before) => database.Query(
        $"""
        SELECT {RequestLine.Columns}
        FROM request r JOIN user u ON u.account_id = r.account_id
        WHERE ($1 IS NULL OR u.name = $1)
            AND ($2 IS NULL OR (r.at_ms, r.rowid) < (SELECT at_ms, rowid FROM request WHERE id = $2))
        ORDER BY r.at_ms DESC, r.rowid DESC LIMIT $3
        """,
        RequestLine.Read,
        name,
        before,
        limit);

    private static string KeyOf(UsageGrouping grouping) => grouping switch
    {
        UsageGrouping.Day => Day,
        UsageGrouping.Model => "r.model",
        UsageGrouping.User => "CASE WHEN u.deleted_at_ms IS NULL THEN u.name ELSE u.name || '#' || u.account_id END",
        UsageGrouping.Session => "coalesce(r.session, '')",
        _ => throw new ArgumentOutOfRangeException(nameof(grouping)),
    };

    private static UsageSums ReadSums(SqliteDataReader row, int first) => new(
        row.GetInt64(first),
        new TokenUsage(row.GetInt64(first + 1), row.GetInt64(first + 2), row.GetInt64(first + 3), row.GetInt64(first + 4), row.GetInt64(first + 5)),
        new NanoUsd(row.GetInt64(first + 6)),
        new NanoUsd(row.GetInt64(first + 7)));
}
