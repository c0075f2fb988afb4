using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;

namespace Ccp.Crash.Audit;

/// <summary>The store of a house, read as it stands on disk, beside a running ccp or after its end.</summary>
internal sealed class StoreReader(string path, string masterKeyPath)
{
    static StoreReader() => SQLitePCL.Batteries_V2.Init();

    /// <summary>Everything, with every hash and sum recomputed as <c>ccp ledger verify</c> does.</summary>
    public StoreView Read()
    {
        using var database = Database.OpenReader(path);

        // One transaction: all tables as of the same moment.
        database.Run("BEGIN");
        var verdict = new LedgerAudit(new EntryChain(MasterKey.Load(null, masterKeyPath))).Run(database);
        return new StoreView(verdict.Problem, ReadEntries(database), ReadRequests(database, default), ReadHolds(database), ReadBalances(database));
    }

    /// <summary>Only the requests and the open holds: quick enough for the moment before a kill.</summary>
    /// <param name="since">Only requests that began at or after this time.</param>
    public StoreView Glance(DateTimeOffset since = default)
    {
        using var database = Database.OpenReader(path);
        database.Run("BEGIN");
        return new StoreView(null, [], ReadRequests(database, since), ReadHolds(database), new Dictionary<string, NanoUsd>());
    }

    private static List<EntryLine> ReadEntries(Database database) => database.Query(
        "SELECT user.name, kind, amount_nano, reference, note FROM entry JOIN user ON user.account_id = entry.account_id ORDER BY entry.id",
        row => new EntryLine(row.GetString(0), EntryKindNames.Parse(row.GetString(1)), new NanoUsd(row.GetInt64(2)), row.GetString(3), row.GetString(4)));

    private static List<RequestLine> ReadRequests(Database database, DateTimeOffset since) => database.Query(
        "SELECT id, session, reason, is_estimated, charge_nano FROM request WHERE at_ms >= $1",
        row => new RequestLine(row.GetString(0), row.IsDBNull(1) ? "" : row.GetString(1), row.GetString(2), row.GetInt64(3) == 1, new NanoUsd(row.GetInt64(4))),
        since.ToUnixTimeMilliseconds());

    private static Dictionary<string, NanoUsd> ReadHolds(Database database) =>
        HoldRow.All(database).GroupBy(row => row.Session ?? row.RequestId).ToDictionary(calls => calls.Key, calls => calls.First().Charge);

    private static Dictionary<string, NanoUsd> ReadBalances(Database database) => database.Query(
        "SELECT user.name, account.balance_nano FROM account JOIN user ON user.account_id = account.id",
        row => (Name: row.GetString(0), Balance: new NanoUsd(row.GetInt64(1)))).ToDictionary(row => row.Name, row => row.Balance);
}

/// <param name="LedgerProblem">Null when every hash and every balance is right.</param>
/// <param name="Holds">What the open holds would be charged, by session.</param>
/// <param name="Balances">By user.</param>
internal sealed record StoreView(
    string? LedgerProblem,
    IReadOnlyList<EntryLine> Entries,
    IReadOnlyList<RequestLine> Requests,
    IReadOnlyDictionary<string, NanoUsd> Holds,
    IReadOnlyDictionary<string, NanoUsd> Balances)
{
    /// <summary>By the session that names a call.</summary>
    public ILookup<string, RequestLine> RequestsBySession { get; } = Requests.ToLookup(request => request.Session);
}

internal sealed record EntryLine(string User, EntryKind Kind, NanoUsd Amount, string Reference, string Note);

internal sealed record RequestLine(string Id, string Session, string Reason, bool IsEstimated, NanoUsd Charge);
