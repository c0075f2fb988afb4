using Ccp.Pricing;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Ledger;

/// <summary>The durable side of a hold: enough to charge the call if nothing more is ever heard of it.</summary>
/// <param name="Cost">What it has cost upstream so far; at first, the estimated prompt.</param>
/// <param name="Charge">The same with the markup.</param>
/// <param name="Tokens">What both were computed from, at <paramref name="Terms"/>.</param>
/// <param name="Rates">The price row and markup as admitted, as JSON.</param>
internal sealed record HoldRow(
    string RequestId,
    long AccountId,
    DateTimeOffset OpenedAt,
    NanoUsd Held,
    NanoUsd Cost,
    NanoUsd Charge,
    TokenUsage Tokens,
    long UserId,
    string Model,
    string Lane,
    bool IsStream,
    string? Session,
    string? Agent,
    string Rates,
    PriceTerms Terms = default,
    LaneDecision? Decision = null)
{
    private const string Columns =
        """
        request_id, account_id, opened_at_ms, held_nano, cost_nano, charge_nano,
        input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
        user_id, model, lane, is_stream, session, agent, rates, inference_geo, speed,
        decision, decision_reason, chosen_by, rejected
        """;

    public void Insert(Database database) => database.RunOne(
        $"INSERT INTO hold ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
        RequestId,
        AccountId,
        OpenedAt.ToUnixTimeMilliseconds(),
        Held.Value,
        Cost.Value,
        Charge.Value,
        Tokens.Input,
        Tokens.CacheWrite5m,
        Tokens.CacheWrite1h,
        Tokens.CacheRead,
        Tokens.Output,
        UserId,
        Model,
        Lane,
        IsStream ? 1 : 0,
        Session,
        Agent,
        Rates,
        Terms.InferenceGeo,
        Terms.Speed,
        Decision?.Lane,
        Decision?.Reason,
        Decision?.ChosenBy,
        Decision?.Rejected);

    /// <summary>Notes how far a call has come. A row that is gone was settled meanwhile, and stays so.</summary>
    public static void Update(Database database, string requestId, HoldProgress progress) => database.Run(
        """
        UPDATE hold SET cost_nano = $2, charge_nano = $3, input_tokens = $4, cache_write_5m_tokens = $5, cache_write_1h_tokens = $6,
            cache_read_tokens = $7, output_tokens = $8, inference_geo = $9, speed = $10
        WHERE request_id = $1
        """,
        requestId,
        progress.Cost.Value,
        progress.Charge.Value,
        progress.Tokens.Input,
        progress.Tokens.CacheWrite5m,
        progress.Tokens.CacheWrite1h,
        progress.Tokens.CacheRead,
        progress.Tokens.Output,
        progress.Terms.InferenceGeo,
        progress.Terms.Speed);

    public static void Delete(Database database, string requestId) => database.Run("DELETE FROM hold WHERE request_id = $1", requestId);

    public static IReadOnlyList<HoldRow> All(Database database) => database.Query($"SELECT {Columns} FROM hold ORDER BY opened_at_ms, request_id", Read);

    public static HoldRow? Find(Database database, string requestId) =>
        database.QueryFirst($"SELECT {Columns} FROM hold WHERE request_id = $1", Read, requestId);

    private static HoldRow Read(SqliteDataReader row) => new(
        row.GetString(0),
        row.GetInt64(1),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)),
        new NanoUsd(row.GetInt64(3)),
        new NanoUsd(row.GetInt64(4)),
        new NanoUsd(row.GetInt64(5)),
        new TokenUsage(row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.GetInt64(9), row.GetInt64(10)),
        row.GetInt64(11),
        row.GetString(12),
        row.GetString(13),
        row.GetInt64(14) == 1,
        row.IsDBNull(15) ? null : row.GetString(15),
        row.IsDBNull(16) ? null : row.GetString(16),
        row.GetString(17),
        new PriceTerms(row.IsDBNull(18) ? null : row.GetString(18), row.IsDBNull(19) ? null : row.GetString(19)),
        LaneDecision.Read(row, 20));
}

/// <summary>How far a call has come, in money and in tokens.</summary>
/// <param name="Terms">As reported, or as asked for where that is not yet known and the dearer.</param>
internal readonly record struct HoldProgress(NanoUsd Cost, NanoUsd Charge, TokenUsage Tokens, PriceTerms Terms);
