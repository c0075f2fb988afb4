using Ccp.Files;
using Microsoft.Data.Sqlite;

namespace Ccp.Store;

/// <summary>Copies a store into one file that is whole by itself, also while it is served: what was committed when the copying began is in it, all of it.</summary>
internal static class StoreCopy
{
    private const string Partial = ".partial-";

    /// <summary>What nobody has written to for so long belongs to a copy that was cut off: one in progress is written without a pause and checked within minutes.</summary>
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1);

    /// <summary>What SQLite puts beside a database, and the database itself.</summary>
    private static readonly string[] Parts = ["", "-journal", "-wal", "-shm"];

    /// <param name="target">Must not be there. Until the copy is complete, checked and synced it goes by another name.</param>
    /// <param name="check">Looks at the copy, and throws when it is not to be kept.</param>
    /// <exception cref="IOException">The target is there, or cannot be written.</exception>
    /// <exception cref="StoreUnavailableException">The source cannot be read, or there is no room for the copy.</exception>
    public static void Make(string source, string target, TimeProvider time, Action<Database> check)
    {
        if (Path.Exists(target))
        {
            throw new IOException($"{target} is there already, and is not overwritten.");
        }

        if (Path.GetDirectoryName(Path.GetFullPath(target)) is { } directory && !Directory.Exists(directory))
        {
            throw new IOException($"There is no directory {directory}. Make one that the user that ccp runs as may write in, or name another.");
        }

        RemoveAbandoned(Path.GetDirectoryName(Path.GetFullPath(target))!, time.GetUtcNow() - AbandonedAfter);
        var partial = $"{target}{Partial}{Guid.NewGuid():N}";
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
            foreach (var part in Parts)
            {
                File.Delete(partial + part);
            }
        }
    }

    /// <summary>Copies that a kill or a power cut left behind in this directory, whatever they were to be called.</summary>
    private static void RemoveAbandoned(string directory, DateTimeOffset writtenBefore)
    {
        try
        {
            var parts = Directory.EnumerateFiles(directory, $"*{Partial}*").Where(path => IsAPartOfACopy(Path.GetFileName(path)));
            foreach (var path in parts.Where(path => File.GetLastWriteTimeUtc(path) <= writtenBefore.UtcDateTime).ToList())
            {
                File.Delete(path);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Somebody else's, perhaps. It takes room and is in nobody's way.
        }
    }

    private static bool IsAPartOfACopy(string name)
    {
        var unique = name[(name.LastIndexOf(Partial, StringComparison.Ordinal) + Partial.Length)..];
        return Array.Exists(Parts, part => unique.EndsWith(part, StringComparison.Ordinal) && Guid.TryParseExact(unique[..^part.Length], "N", out _));
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
