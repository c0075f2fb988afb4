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
    LaneDecision? Decision = null,
    FinalReading? Final = null)
{
    private const string Columns =
        """
        request_id, account_id, opened_at_ms, held_nano, cost_nano, charge_nano,
        input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
        user_id, model, lane, is_stream, session, agent, rates, inference_geo, speed,
        decision, decision_reason, chosen_by, rejected, metered, answered_model, priced_as, is_exact
        """;

    public void Insert(Database database) => database.RunOne(
        $"""
        INSERT INTO hold ({Columns})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
        """,
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
        Decision?.Rejected,
        Final?.Metered,
        Final?.AnsweredModel,
        Final?.PricedAs,
        Final?.IsExact);

    /// <summary>Notes how far a call has come. A row that is gone was settled meanwhile, and stays so.</summary>
    public static void Update(Database database, string requestId, HoldProgress progress) => database.Run(
        """
        UPDATE hold SET cost_nano = $2, charge_nano = $3, input_tokens = $4, cache_write_5m_tokens = $5, cache_write_1h_tokens = $6,
            cache_read_tokens = $7, output_tokens = $8, inference_geo = $9, speed = $10,
            metered = $11, answered_model = $12, priced_as = $13, is_exact = $14
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
        progress.Terms.Speed,
        progress.Final?.Metered,
        progress.Final?.AnsweredModel,
        progress.Final?.PricedAs,
        progress.Final?.IsExact);

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
        LaneDecision.Read(row, 20),
        row.IsDBNull(24) ? null : new FinalReading(row.GetString(24), row.IsDBNull(25) ? null : row.GetString(25), row.GetString(26), row.GetInt64(27) == 1));
}

/// <summary>How far a call has come, in money and in tokens.</summary>
/// <param name="Terms">As reported, or as asked for where that is not yet known and the dearer.</param>
/// <param name="Final">Null as long as the provider's final numbers are not in.</param>
internal readonly record struct HoldProgress(NanoUsd Cost, NanoUsd Charge, TokenUsage Tokens, PriceTerms Terms, FinalReading? Final = null);

/// <summary>What a charge was computed from, beyond tokens and terms, when nothing can be owed beyond it.</summary>
/// <param name="Metered">All of it, as JSON, as the request record has it.</param>
/// <param name="PricedAs">The model whose price it is.</param>
/// <param name="IsExact">False: a number in it cannot be true, or was not to be read.</param>
internal sealed record FinalReading(string Metered, string? AnsweredModel, string PricedAs, bool IsExact);
