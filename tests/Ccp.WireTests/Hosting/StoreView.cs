using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;

namespace Ccp.WireTests.Hosting;

/// <summary>What stands on disk, read beside a running ccp or after it.</summary>
internal sealed class StoreView(string path)
{
    public IReadOnlyList<LedgerEntry> Charges => Read(database => LedgerBook.Newest(database, null, 100_000, null)).Where(entry => entry.Kind == EntryKind.Charge).ToList();

    public NanoUsd BalanceOfAlice => Read(database => database.QueryFirst(
        "SELECT balance_nano FROM account JOIN user ON user.account_id = account.id WHERE user.name = 'alice'", row => new NanoUsd(row.GetInt64(0))));

    public IReadOnlyList<HoldRow> OpenHolds => Read(HoldRow.All);

    public IReadOnlyList<(string Id, string Reason, bool IsEstimated, TokenUsage Tokens, NanoUsd Cost, NanoUsd Charge)> Requests => Read(database => database.Query(
        "SELECT id, reason, is_estimated, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens, cost_nano, charge_nano FROM request ORDER BY at_ms",
        row => (row.GetString(0), row.GetString(1), row.GetInt64(2) == 1,
            new TokenUsage(row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7)),
            new NanoUsd(row.GetInt64(8)), new NanoUsd(row.GetInt64(9)))));

    /// <summary>Of each request, with the lane that answered it.</summary>
    public IReadOnlyList<(LaneDecision? Decision, string Lane)> Decisions => Read(database => database.Query(
        "SELECT decision, decision_reason, chosen_by, rejected, lane FROM request ORDER BY at_ms",
        row => (LaneDecision.Read(row, 0), row.GetString(4))));

    /// <summary>How many rows a table has.</summary>
    public long Count(string table) => Read(database => database.QueryFirst($"SELECT count(*) FROM {table}", row => row.GetInt64(0)));

    private T Read<T>(Func<Database, T> read)
    {
        SQLitePCL.Batteries_V2.Init();
        using var database = Database.OpenReader(path);
        return read(database);
    }
}
