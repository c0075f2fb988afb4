using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Routing;
using Microsoft.Data.Sqlite;

namespace Ccp.Usage;

/// <summary>A ledger entry as reports show it.</summary>
/// <param name="Username">Null for an account that no user was ever made for.</param>
/// <param name="Hash">Hexadecimal.</param>
internal sealed record LedgerLine(
    long Id,
    DateTimeOffset At,
    string? Username,
    long Account,
    string Kind,
    NanoUsd Amount,
    NanoUsd BalanceAfter,
    string Reference,
    string Actor,
    string Note,
    string Hash)
{
    /// <summary>Reads the columns in the order of <see cref="UsageQueries.Entries"/>.</summary>
    public static LedgerLine Read(SqliteDataReader row) => new(
        row.GetInt64(0),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
        row.IsDBNull(2) ? null : UsageQueries.ShownName(row.GetString(2), row.GetInt64(4), row.GetInt64(3) == 1),
        row.GetInt64(4),
        row.GetString(5),
        new NanoUsd(row.GetInt64(6)),
        new NanoUsd(row.GetInt64(7)),
        row.GetString(8),
        row.GetString(9),
        row.GetString(10),
        Convert.ToHexStringLower(row.GetFieldValue<byte[]>(11)));
}

/// <summary>A request record as reports show it.</summary>
/// <param name="CostDollars">What the user was charged.</param>
/// <param name="UpstreamCostDollars">What the upstream asks for it.</param>
/// <param name="Decision">The lane it was decided for, which is another than <paramref name="Lane"/> after a fallback in flight. Null, as the reason, in records of older versions.</param>
/// <param name="ChosenBy">Null where <paramref name="DecisionReason"/> says it.</param>
internal sealed record RequestLine(
    string Id,
    DateTimeOffset At,
    string Username,
    long Account,
    string Model,
    string? AnsweredModel,
    string PricedAs,
    string Lane,
    int Status,
    string Reason,
    bool Stream,
    bool Estimated,
    long InputTokens,
    long OutputTokens,
    long CacheReadTokens,
    long CacheWriteTokens,
    long WebSearches,
    NanoUsd CostDollars,
    NanoUsd UpstreamCostDollars,
    string? Session,
    string? Agent,
    string? UpstreamRequestId,
    long LatencyMs,
    long? TtftMs,
    string? Decision,
    string? DecisionReason,
    string? ChosenBy,
    IReadOnlyList<RejectedLane> Rejected)
{
    public const string Columns =
        """
        r.id, r.at_ms, u.name, u.deleted_at_ms IS NOT NULL, r.account_id, r.model, r.answered_model, r.priced_as, r.lane, r.status, r.reason,
        r.is_stream, r.is_estimated, r.input_tokens, r.output_tokens, r.cache_read_tokens, r.cache_write_5m_tokens + r.cache_write_1h_tokens,
        r.web_searches, r.charge_nano, r.cost_nano, r.session, r.agent, r.upstream_request_id, r.latency_ms, r.ttft_ms,
        r.decision, r.decision_reason, r.chosen_by, r.rejected
        """;

    public static RequestLine Read(SqliteDataReader row) => Read(row, LaneDecision.Read(row, 25));

    private static RequestLine Read(SqliteDataReader row, LaneDecision? decision) => new(
        row.GetString(0),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
        UsageQueries.ShownName(row.GetString(2), row.GetInt64(4), row.GetInt64(3) == 1),
        row.GetInt64(4),
        row.GetString(5),
        TextOrNull(row, 6),
        row.GetString(7),
        row.GetString(8),
        row.GetInt32(9),
        row.GetString(10),
        row.GetInt64(11) == 1,
        row.GetInt64(12) == 1,
        row.GetInt64(13),
        row.GetInt64(14),
        row.GetInt64(15),
        row.GetInt64(16),
        row.GetInt64(17),
        new NanoUsd(row.GetInt64(18)),
        new NanoUsd(row.GetInt64(19)),
        TextOrNull(row, 20),
        TextOrNull(row, 21),
        TextOrNull(row, 22),
        row.GetInt64(23),
        row.IsDBNull(24) ? null : row.GetInt64(24),
        decision?.Lane,
        decision?.Reason,
        decision?.ChosenBy,
        RejectedLane.Parse(decision?.Rejected));

    private static string? TextOrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
