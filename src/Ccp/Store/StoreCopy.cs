using Ccp.Files;
using Microsoft.Data.Sqlite;

namespace Ccp.Store;

/// <summary>Copies a store into one file that is whole by itself, also while it is served: what was committed when the copying began is in it, all of it.</summary>
internal static class StoreCopy
{
    /// <param name="target">Must not be there. Until the copy is complete, checked and synced it goes by another name.</param>
    /// <param name="check">Looks at the copy, and throws when it is not to be kept.</param>
    /// <exception cref="IOException">The target is there, or cannot be written.</exception>
    /// <exception cref="StoreUnavailableException">The source cannot be read, or there is no room for the copy.</exception>
    public static void Make(string source, string target, Action<Database> check)
    {
        if (Path.Exists(target))
        {
            throw new IOException($"{target} is there already, and is not overwritten.");
        }

        var partial = $"{target}.partial-{Guid.NewGuid():N}";
        try
        {
            DurableFile.Create(partial, []);
            Copy(source, partial);
            DurableFile.Sync(partial);
            using (var copy = Database.OpenReader(partial))
            {
                check(copy);
            }

            DurableFile.Move(partial, target, overwrite: false);
        }
        catch (SqliteException error)
        {
            throw new StoreUnavailableException($"{source} could not be copied to {target}. {StoreFault.Describe(error)}", error);
        }
        finally
        {
            File.Delete(partial);
            File.Delete(partial + "-journal");
        }
    }

    private static void Copy(string source, string target)
    {
        using var from = Database.OpenReader(source);
        var bytes = from.QueryFirst("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", row => row.GetInt64(0));
        var free = new DriveInfo(Path.GetDirectoryName(target)!).AvailableFreeSpace;
        if (free - bytes < StoreHealth.FreeBytesMin)
        {
            throw new StoreUnavailableException(
                $"{target} would need {bytes / 1024 / 1024} MiB and leave less than {StoreHealth.FreeBytesMin / 1024 / 1024} on its disk, which has {free / 1024 / 1024}. Free some space, or write it elsewhere.");
        }

        from.CopyInto(target);
    }
}
