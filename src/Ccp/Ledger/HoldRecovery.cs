using Ccp.Store;

namespace Ccp.Ledger;

/// <summary>Charges calls that were in progress when ccp ended: an open row means that something was served.</summary>
/// <param name="record">Writes the request record of a call whose end nobody saw.</param>
internal sealed class HoldRecovery(LedgerBook book, Action<Database, HoldRow, string> record)
{
    public const string CrashReason = "crash";

    /// <summary>Before the listener opens.</summary>
    /// <returns>The calls that were charged, each as its row says.</returns>
    public IReadOnlyList<HoldRow> SettleAll(Database database) => [.. HoldRow.All(database).Where(row => Settle(database, row, CrashReason))];

    /// <summary>One transaction: the charge as far as it is known, marked as an estimate unless the final numbers were in, the record, and the hold gone.</summary>
    /// <returns>False when it had been charged before.</returns>
    public bool Settle(Database database, HoldRow row, string reason)
    {
        var note = row.Final is { IsExact: true } ? $"{row.Model} ({reason})" : $"{row.Model}, estimated ({reason})";
        var result = book.Post(database, row.AccountId, EntryKind.Charge, -row.Charge, row.RequestId, "ccp", note);

        // Charged already means that the settlement had gone through and only the row was left behind: it keeps what it says.
        if (result == PostResult.Posted)
        {
            record(database, row, reason);
        }

        HoldRow.Delete(database, row.RequestId);
        return result == PostResult.Posted;
    }
}
