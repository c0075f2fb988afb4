using Ccp.Configuration;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Quotas;

/// <summary>What the store knew of quotas and calls at one moment.</summary>
/// <param name="Counted">Each quota's tokens, and its overshoots, oldest first.</param>
/// <param name="Recorded">Those of the calls in progress that have a record already: it is among the tokens.</param>
internal sealed record QuotaSnapshot(IReadOnlyList<(QuotaCounter Counter, List<QuotaOvershoot> Seen)> Counted, HashSet<QuotaUse> Recorded)
{
    /// <param name="open">Asked for once the moment is fixed: a call that opens later cannot have a record in it.</param>
    public static QuotaSnapshot Read(Database reader, IReadOnlyList<QuotaConfig> quotas, Func<QuotaUse[]> open, TimeProvider time)
    {
        // One moment for all that is read, from the first row on.
        reader.Execute("BEGIN");
        var now = time.GetUtcNow();
        var counted = quotas.Select(quota => (QuotaRecords.Count(reader, quota, now), QuotaRecords.OvershootsOf(reader, quota))).ToArray();
        var recorded = open().Where(use => QuotaRecords.IsRecorded(reader, use.RequestId)).ToHashSet();
        reader.Execute("COMMIT");
        return new QuotaSnapshot(counted, recorded);
    }

    /// <exception cref="StoreUnavailableException">The store cannot be read.</exception>
    public static QuotaSnapshot Read(string storePath, IReadOnlyList<QuotaConfig> quotas, Func<QuotaUse[]> open, TimeProvider time)
    {
        try
        {
            using var reader = Database.OpenReader(storePath);
            return Read(reader, quotas, open, time);
        }
        catch (SqliteException error)
        {
            throw new StoreUnavailableException($"The records could not be read. {StoreFault.Describe(error)}", error);
        }
    }
}
