using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Usage;

/// <summary>A request record with all that its price was computed from.</summary>
/// <param name="RowId">Its place in the table, which orders records of the same millisecond.</param>
/// <param name="Charge">As it was charged; zero for users who are not.</param>
/// <param name="Decision">Null in records of older versions.</param>
internal sealed record PricedRequest(
    string Id,
    long RowId,
    DateTimeOffset At,
    long AccountId,
    string Username,
    string Model,
    string? AnsweredModel,
    string PricedAs,
    string Lane,
    int Status,
    string Reason,
    bool IsEstimated,
    TokenUsage Tokens,
    long WebSearches,
    NanoUsd Cost,
    NanoUsd Charge,
    string Rates,
    string? Metered,
    LaneDecision? Decision)
{
    private const string Columns =
        """
        r.id, r.rowid, r.at_ms, r.account_id, u.name, u.deleted_at_ms IS NOT NULL, r.model, r.answered_model, r.priced_as, r.lane, r.status, r.reason, r.is_estimated,
        r.input_tokens, r.cache_write_5m_tokens, r.cache_write_1h_tokens, r.cache_read_tokens, r.output_tokens, r.web_searches, r.cost_nano, r.charge_nano, r.rates, r.metered,
        r.decision, r.decision_reason, r.chosen_by, r.rejected
        """;

    /// <summary>The price row and markup as admitted; null when the record does not say.</summary>
    /// <remarks>Its book is the built-in one of today, which may know other prices for other models: <see cref="ReceiptBasis.Freeze"/>.</remarks>
    public RateCard? Card { get; } = RateCardJson.TryRead(Rates, PriceBook.BuiltIn);

    /// <summary>What was metered; null in records of older versions.</summary>
    public ReceiptBasis? Basis => Metered is not null && Card is { } card ? ReceiptBasis.TryRead(Metered, card) : null;

    public static PricedRequest? Find(Database database, string id) => database.QueryFirst(
        $"SELECT {Columns} FROM request r JOIN user u ON u.account_id = r.account_id WHERE r.id = $1",
        Read,
        id);

    /// <summary>Oldest first.</summary>
    /// <param name="name">Only this user's; null: everybody's.</param>
    /// <param name="after">The last of the page before this one; null for the first.</param>
    /// <param name="notOn">Leaves out the requests of this lane; null: none.</param>
    public static List<PricedRequest> Page(Database database, string? name, DateTimeOffset from, DateTimeOffset to, PricedRequest? after, int limit, string? notOn = null) => database.Query(
        $"""
        SELECT {Columns} FROM request r JOIN user u ON u.account_id = r.account_id
        WHERE ($1 IS NULL OR u.name = $1) AND r.at_ms >= $2 AND r.at_ms < $3 AND (r.at_ms, r.rowid) > ($4, $5)
            AND ($7 IS NULL OR r.lane <> $7)
        ORDER BY r.at_ms, r.rowid LIMIT $6
        """,
        Read,
        name,
        (after?.At ?? from).ToUnixTimeMilliseconds(),
        to.ToUnixTimeMilliseconds(),
        after?.At.ToUnixTimeMilliseconds() ?? long.MinValue,
        after?.RowId ?? 0,
        limit,
        notOn);

    private static PricedRequest Read(SqliteDataReader row) => new(
        row.GetString(0),
        row.GetInt64(1),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)),
        row.GetInt64(3),
        UsageQueries.ShownName(row.GetString(4), row.GetInt64(3), row.GetInt64(5) == 1),
        row.GetString(6),
        row.IsDBNull(7) ? null : row.GetString(7),
        row.GetString(8),
        row.GetString(9),
        row.GetInt32(10),
        row.GetString(11),
        row.GetInt64(12) == 1,
        new TokenUsage(row.GetInt64(13), row.GetInt64(14), row.GetInt64(15), row.GetInt64(16), row.GetInt64(17)),
        row.GetInt64(18),
        new NanoUsd(row.GetInt64(19)),
        new NanoUsd(row.GetInt64(20)),
        row.GetString(21),
        row.IsDBNull(22) ? null : row.GetString(22),
        LaneDecision.Read(row, 23));
}
