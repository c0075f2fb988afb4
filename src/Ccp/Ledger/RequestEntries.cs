using Ccp.Pricing;
using Ccp.Store;

namespace Ccp.Ledger;

/// <summary>Every entry that one request ever made: its charge, what reratings changed, and what was given back.</summary>
/// <param name="Charge">Null when the request was never charged.</param>
/// <param name="Rerates">Oldest first.</param>
internal sealed record RequestEntries(LedgerEntry? Charge, IReadOnlyList<LedgerEntry> Rerates, LedgerEntry? Refund)
{
    /// <summary>What the request has taken from the account, before any refund.</summary>
    public NanoUsd Taken => Rerates.Aggregate(-(Charge?.Amount ?? NanoUsd.Zero), (taken, entry) => taken - entry.Amount);

    /// <summary>What it costs by now.</summary>
    public NanoUsd Net => Taken - (Refund?.Amount ?? NanoUsd.Zero);

    /// <param name="account">Whose request it is; null when that is not known, as for a request whose record was deleted.</param>
    public static RequestEntries Of(Database database, string requestId, long? account)
    {
        // An entry's index begins with its account: asking for each of them is quick, and a scan of the ledger is not.
        var charge = Find(database, EntryKind.Charge, requestId, account);
        return charge is null
            ? new RequestEntries(null, [], null)
            : new RequestEntries(charge, FindRerates(database, requestId, charge.AccountId), Find(database, EntryKind.Refund, requestId, charge.AccountId));
    }

    private static LedgerEntry? Find(Database database, EntryKind kind, string reference, long? account) => account is { } known
        ? database.QueryFirst(
            $"SELECT {LedgerBook.Columns} FROM entry WHERE account_id = $1 AND kind = $2 AND reference = $3",
            LedgerBook.Read,
            known,
            kind.ToText(),
            reference)
        : database.QueryFirst(
            $"SELECT {LedgerBook.Columns} FROM entry WHERE account_id IN (SELECT id FROM account) AND kind = $1 AND reference = $2",
            LedgerBook.Read,
            kind.ToText(),
            reference);

    // The plus keeps SQLite from going through all adjustments of the account: the index that Schema.cs made for this finds the few.
    private static List<LedgerEntry> FindRerates(Database database, string requestId, long account) => database.Query(
        $"""
        SELECT {LedgerBook.Columns} FROM entry
        WHERE substr(reference, 8 + instr(substr(reference, 8), ':')) = $1
            AND kind = 'adjustment' AND reference >= 'rerate:' AND reference < 'rerate;' AND +account_id = $2
        ORDER BY id
        """,
        LedgerBook.Read,
        requestId,
        account);
}

/// <summary>The reference of an adjustment that a rerating posted. Nobody may use one of this form by hand.</summary>
internal static class RerateReference
{
    public const string Prefix = "rerate:";

    public static string Of(string run, string requestId) => $"{Prefix}{run}:{requestId}";
}
