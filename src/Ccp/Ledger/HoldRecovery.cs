using Ccp.Pricing;
using Ccp.Store;

namespace Ccp.Ledger;

/// <summary>Charges calls that were in progress when ccp ended: an open row means that something was served.</summary>
/// <param name="record">Writes the request record of a call whose end nobody saw.</param>
internal sealed class HoldRecovery(LedgerBook book, Action<Database, HoldRow, string> record)
{
    public const string CrashReason = "crash";

    /// <summary>Before the listener opens.</summary>
    /// <returns>How many calls were charged, and what they came to.</returns>
    public (int Count, NanoUsd Charged) SettleAll(Database database)
    {
        var charged = NanoUsd.Zero;
        var rows = HoldRow.All(database);
        foreach (var row in rows)
        {
            Settle(database, row, CrashReason);
            charged += row.Charge;
        }

        return (rows.Count, charged);
    }

    /// <summary>One transaction: the charge as far as it is known, marked as an estimate unless the final numbers were in, the record, and the hold gone.</summary>
    public void Settle(Database database, HoldRow row, string reason)
    {
        var note = row.Final is { IsExact: true } ? $"{row.Model} ({reason})" : $"{row.Model}, estimated ({reason})";
        var result = book.Post(database, row.AccountId, EntryKind.Charge, -row.Charge, row.RequestId, "ccp", note);

        // Charged already means that the settlement had gone through and only the row was left behind: it keeps what it says.
        if (result == PostResult.Posted)
        {
            record(database, row, reason);
        }

        HoldRow.Delete(database, row.RequestId);
    }
}
