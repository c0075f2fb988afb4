using System.Globalization;
using Ccp.Files;
using Ccp.Identity;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Ledger;

/// <summary>What a restore did.</summary>
/// <param name="KeptAs">Where the store that stood before is now; null when there was none.</param>
/// <param name="Missing">How many entries of it come after the backup; null when that cannot be told.</param>
internal sealed record RestoreResult(StoreProof Proof, string? KeptAs, long? Missing);

/// <summary>Puts a backup in the place of a store that nobody serves. What stood there is kept under another name, whatever happens.</summary>
/// <remarks>
/// Order: copy and prove the backup; give the copy its waiting name; move the store away, its write-ahead log first; move the copy in. An end at any
/// point leaves either the store as it was or the waiting copy, and with that no ccp starts.
/// </remarks>
internal static class StoreRestore
{
    private const string Waiting = ".restoring";
    private const string WriteAheadLog = "-wal";
    private const string Unusable = "It is damaged, or no store of ccp. Use another backup.";

    /// <exception cref="StoreUnavailableException">The store is served, or the backup is not one to go on with. Nothing was changed.</exception>
    /// <exception cref="IOException">The disk. The message says where it stopped; run it again.</exception>
    public static RestoreResult Run(string backup, string store, MasterKey master, TimeProvider time)
    {
        using var held = StoreLock.Take(store);
        Check(backup, master);
        StoreProof? proof = null;
        var copy = store + ".restoring-copy";
        File.Delete(copy);
        StoreCopy.Make(backup, copy, time, database =>
        {
            proof = StoreProof.Of(database, master);
            if (proof.Problem is { } problem)
            {
                throw new StoreUnavailableException($"{backup} was not restored, and nothing was changed. {problem}");
            }
        });
        var missing = CountAfter(store, proof!.Audit);
        DurableFile.Move(copy, store + Waiting, overwrite: true);
        var keptAs = MoveAway(store, time);
        DurableFile.Move(store + Waiting, store, overwrite: false);
        return new RestoreResult(proof, keptAs, missing);
    }

    /// <summary>Whether a backup could be restored with this master key. What is wrong is said of the backup: the store is another file, and may be in order.</summary>
    /// <exception cref="StoreUnavailableException">It is not one to go on with.</exception>
    public static StoreProof Check(string backup, MasterKey master)
    {
        string problem;
        try
        {
            using var copy = Database.OpenReader(backup);
            var proof = StoreProof.Of(copy, master);
            if (proof.Problem is null)
            {
                return proof;
            }

            problem = proof.IsDamaged ? Unusable : proof.Problem;
        }
        catch (SqliteException error) when (StoreFault.IsDamage(error))
        {
            problem = Unusable;
        }

        throw new StoreUnavailableException($"{backup} cannot be restored here, and nothing was changed. {problem}");
    }

    /// <exception cref="StoreUnavailableException">A ccp serves the store. Said before anything is asked or read.</exception>
    public static void RefuseServed(string store)
    {
        if (File.Exists(store))
        {
            StoreLock.Take(store).Dispose();
        }
    }

    /// <exception cref="StoreUnavailableException">A restore was cut off half way: what stands there now must not be served.</exception>
    public static void RefuseInterrupted(string store)
    {
        if (File.Exists(store + Waiting))
        {
            throw new StoreUnavailableException(
                $"A restore of {store} was interrupted. Run ccp db restore again with the same backup; what stood before is kept beside it as {store}.before-restore-…");
        }
    }

    private static string? MoveAway(string store, TimeProvider time)
    {
        var keptAs = $"{store}.before-restore-{time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'.'fff'Z'", CultureInfo.InvariantCulture)}";

        // The log first: a new store beside an old log would have the log's pages written into it.
        if (File.Exists(store + WriteAheadLog))
        {
            DurableFile.Move(store + WriteAheadLog, keptAs + WriteAheadLog, overwrite: false);
        }

        File.Delete(store + "-shm");
        if (!File.Exists(store))
        {
            return null;
        }

        DurableFile.Move(store, keptAs, overwrite: false);
        return keptAs;
    }

    /// <summary>Null when the store that stands cannot be read, or is not the one that the backup was made of.</summary>
    private static long? CountAfter(string store, AuditResult backup)
    {
        if (!File.Exists(store))
        {
            return null;
        }

        try
        {
            using var standing = Database.OpenReader(store);
            var isContinued = backup.HeadId == 0
                || standing.QueryFirst("SELECT hash FROM entry WHERE id = $1", row => row.GetFieldValue<byte[]>(0), backup.HeadId) is { } hash && hash.AsSpan().SequenceEqual(backup.HeadHash);
            return isContinued ? standing.QueryFirst("SELECT count(*) FROM entry WHERE id > $1", row => row.GetInt64(0), backup.HeadId) : null;
        }
        catch (Exception error) when (error is SqliteException or StoreUnavailableException)
        {
            // Damaged, or no store at all: that is what a restore is for.
            return null;
        }
    }
}
