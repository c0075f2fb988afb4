using Ccp.Ledger;
using Ccp.Store;
using Ccp.Telemetry;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    /// <summary>
    /// Copies the store into a new file on this host, and proves the copy. Only for whoever may read the data directory anyway: over the network a
    /// stolen admin's token would write files wherever ccp may.
    /// </summary>
    public async Task<BackupView> BackupAsync(ReadOnlyMemory<byte> json, AdminActor actor)
    {
        if (!actor.IsHostOperator)
        {
            throw new AdminRefusedException(403, "A backup is written on ccp's own host, by ccp: run ccp db backup there, without --server, as the user that ccp runs as.");
        }

        var path = new AdminBody(json, "path").Line("path", PathLengthMax);
        if (path is null || !Path.IsPathFullyQualified(path) || Path.GetFileName(path).Length == 0)
        {
            throw AdminRefusedException.Malformed("State the full path of a new file: {\"path\":\"/backup/ccp-monday.db\"}.");
        }

        var proof = await Task.Run(() => Copy(path));
        till.Log.BackedUp(path, proof.Audit.HeadId, Convert.ToHexStringLower(proof.Audit.HeadHash));
        return new BackupView(path, new FileInfo(path).Length, proof.Audit.Entries, proof.Audit.Accounts, proof.OpenHolds, proof.Audit.HeadId, Convert.ToHexStringLower(proof.Audit.HeadHash), till.MasterKeyPath);
    }

    /// <summary>Reads every page and every entry.</summary>
    public async Task<StoreCheckView> CheckStoreAsync()
    {
        var proof = await ReadAsync(database => StoreProof.Of(database, till.Master));
        return new StoreCheckView(proof.Problem is null, proof.Audit.Entries, proof.Audit.Accounts, proof.OpenHolds, proof.Audit.HeadId, Convert.ToHexStringLower(proof.Audit.HeadHash), proof.Problem);
    }

    private const int PathLengthMax = 4000;

    private StoreProof Copy(string path)
    {
        StoreProof? proof = null;
        try
        {
            StoreCopy.Make(till.DatabasePath, path, till.Time, database =>
            {
                proof = StoreProof.Of(database, till.Master);
                if (proof.Problem is { } problem)
                {
                    throw new StoreUnavailableException($"The copy was thrown away: it is not one to go back to. {problem}");
                }
            });
            return proof!;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw AdminRefusedException.Conflict($"No backup was made. {error.Message}");
        }
    }
}
