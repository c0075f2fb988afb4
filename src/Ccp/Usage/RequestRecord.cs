using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;

namespace Ccp.Usage;

/// <summary>What is kept of a call that was served: numbers and names, never its content.</summary>
/// <param name="PricedAs">The model whose price was charged.</param>
/// <param name="Charge">With the markup; zero for users who are not charged.</param>
/// <param name="Rates">The price row and markup as admitted, as JSON.</param>
/// <param name="Metered">What was priced, as JSON (<see cref="ReceiptBasis"/>); null in records of older versions.</param>
/// <param name="Decision">Where it was to go and why, before a fallback in flight; null in records of older versions.</param>
internal sealed record RequestRecord(
    string Id,
    DateTimeOffset At,
    long AccountId,
    long UserId,
    string Model,
    string? AnsweredModel,
    string PricedAs,
    string Lane,
    int Status,
    string Reason,
    bool IsStream,
    bool IsEstimated,
    TokenUsage Tokens,
    long WebSearches,
    NanoUsd Cost,
    NanoUsd Charge,
    string? Session,
    string? Agent,
    string? UpstreamRequestId,
    TimeSpan Latency,
    TimeSpan? TimeToFirstByte,
    string Rates,
    string? Metered = null,
    LaneDecision? Decision = null)
{
    /// <summary>Repeating it changes nothing: a settlement may be tried twice.</summary>
    public void Insert(Database database)
    {
        database.Run(
            """
            INSERT OR IGNORE INTO request (
                id, at_ms, account_id, user_id, model, answered_model, priced_as, lane, status, reason, is_stream, is_estimated,
                input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens, web_searches,
                cost_nano, charge_nano, session, agent, upstream_request_id, latency_ms, ttft_ms, rates, metered,
                decision, decision_reason, chosen_by, rejected)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27,
                $28, $29, $30, $31)
            """,
            Id,
            At.ToUnixTimeMilliseconds(),
            AccountId,
            UserId,
            Model,
            AnsweredModel,
            PricedAs,
            Lane,
            Status,
            Reason,
            IsStream ? 1 : 0,
            IsEstimated ? 1 : 0,
            Tokens.Input,
            Tokens.CacheWrite5m,
            Tokens.CacheWrite1h,
            Tokens.CacheRead,
            Tokens.Output,
            WebSearches,
            Cost.Value,
            Charge.Value,
            Session,
            Agent,
            UpstreamRequestId,
            (long)Latency.TotalMilliseconds,
            TimeToFirstByte is { } firstByte ? (long)firstByte.TotalMilliseconds : null,
            Rates,
            Metered,
            Decision?.Lane,
            Decision?.Reason,
            Decision?.ChosenBy,
            Decision?.Rejected);
        database.Run("UPDATE user SET last_seen_at_ms = max(coalesce(last_seen_at_ms, 0), $2) WHERE id = $1", UserId, At.ToUnixTimeMilliseconds());
    }

    /// <summary>The record of a call whose end nobody saw: what its hold says.</summary>
    public static void InsertFromHold(Database database, HoldRow hold, string reason)
    {
        var card = RateCardJson.TryRead(hold.Rates, PriceBook.BuiltIn);
        var metered = hold.Final?.Metered ?? (card is null ? null : ReceiptBasis.Of(card, MeteredUsage.Of(hold.Tokens).At(hold.Terms), answeredModel: null).ToJson(card));
        new RequestRecord(
            hold.RequestId,
            hold.OpenedAt,
            hold.AccountId,
            hold.UserId,
            hold.Model,
            hold.Final?.AnsweredModel,
            PricedAs: hold.Final?.PricedAs ?? card?.Row.Model ?? hold.Model,
            hold.Lane,
            Status: 200,
            reason,
            hold.IsStream,
            IsEstimated: hold.Final is not { IsExact: true },
            hold.Tokens,
            metered is not null && card is not null ? ReceiptBasis.TryRead(metered, card)?.Usage.WebSearches ?? 0 : 0,
            hold.Cost,
            hold.Charge,
            hold.Session,
            hold.Agent,
            UpstreamRequestId: null,
            Latency: TimeSpan.Zero,
            TimeToFirstByte: null,
            hold.Rates,
            metered,
            hold.Decision).Insert(database);
    }

    /// <summary>Deletes what is older than the operator wants to keep. The ledger keeps its entries.</summary>
    public static int DeleteBefore(Database database, DateTimeOffset oldest) =>
        database.Run("DELETE FROM request WHERE at_ms < $1", oldest.ToUnixTimeMilliseconds());

    /// <summary>The date of the newest record, without those that a clock is known to have dated ahead; null when there is none.</summary>
    public static DateTimeOffset? NewestAt(Database database) => database.QueryFirst<DateTimeOffset?>(
        "SELECT at_ms FROM request WHERE counted_at_ms IS NULL ORDER BY at_ms DESC LIMIT 1",
        row => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)));

    /// <summary>Teaches the hold sizes what was charged before this start: the newest calls of each account, oldest first.</summary>
    public static void Replay(Database database, ChargeHistory history)
    {
        const int CallsRemembered = 20_000;
        database.Visit(
            """
            SELECT account_id, priced_as, charge_nano FROM
                (SELECT account_id, priced_as, charge_nano, at_ms FROM request WHERE charge_nano > 0 ORDER BY at_ms DESC LIMIT $1)
            ORDER BY at_ms
            """,
            row =>
            {
                history.Add(row.GetInt64(0), row.GetString(1), new NanoUsd(row.GetInt64(2)));
                return true;
            },
            CallsRemembered);
    }
}
