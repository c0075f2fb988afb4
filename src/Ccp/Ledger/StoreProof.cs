using Ccp.Identity;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Ledger;

/// <summary>Whether a store is one that can be gone on with: undamaged, ccp's, of this master key, every balance and every hash right.</summary>
/// <param name="OpenHolds">Calls that were in progress.</param>
/// <param name="Problem">Null when all is well; else one or two sentences.</param>
internal sealed record StoreProof(AuditResult Audit, long OpenHolds, string? Problem)
{
    /// <summary>The problem is the file itself: it is damaged, or no database.</summary>
    public bool IsDamaged { get; private init; }

    private static readonly AuditResult Nothing = new(0, 0, 0, EntryChain.Genesis, null);

    /// <summary>Reads every page of the store: seconds for each gigabyte. Takes one snapshot, so that a store that is served can be looked at too.</summary>
    public static StoreProof Of(Database database, MasterKey master)
    {
        if (database.FindDamage(isThorough: true) is { } damage)
        {
            return Bad(damage) with { IsDamaged = true };
        }

        if (Schema.FindMismatch(database) is { } mismatch)
        {
            return Bad(mismatch);
        }

        database.Run("BEGIN");
        try
        {
            if (!MasterKeyMark.Fits(database, master))
            {
                return Bad("It was made with another master key. Set CCP_MASTER_KEY, or put the master.key that belongs to it into the data directory.");
            }

            var audit = new LedgerAudit(new EntryChain(master)).Run(database);
            var holds = database.QueryFirst("SELECT count(*) FROM hold", row => row.GetInt64(0));
            return new StoreProof(audit, holds, audit.Problem is { } problem ? $"The ledger is not right: {problem}." : null);
        }
        catch (SqliteException error)
        {
            return Bad(StoreFault.Describe(error)) with { IsDamaged = StoreFault.IsDamage(error) };
        }
        finally
        {
            database.Run("COMMIT");
        }
    }

    private static StoreProof Bad(string problem) => new(Nothing, 0, problem);
}
