using Ccp.Store;

namespace Ccp.Admin;

/// <summary>How much room there is where ccp writes: for the store, without which nothing billed is served, and for the rest where that lies elsewhere.</summary>
internal static class DiskFindings
{
    private const long LittleRoom = 1L << 30;

    /// <summary>So much may be written between two looks at one disk.</summary>
    private const long MebiByte = 1L << 20;

    /// <param name="store">The directory of the store.</param>
    /// <param name="room">What a disk holds, and what is left, by a directory on it.</param>
    public static IEnumerable<FindingView> Of(string store, string data, string logs, Func<string, (long Size, long Free)> room)
    {
        var told = new List<(long Size, long Free)>();
        foreach (var (topic, path, whenFull) in new[]
        {
            ("disk", store, "billed calls are refused"),
            ("disk of data", data, "a license, a policy or a pause cannot be written down"),
            ("disk of logs", logs, "lines of the usage log are lost"),
        })
        {
            if (Look(topic, path, whenFull, room, told) is { } finding)
            {
                yield return finding;
            }
        }
    }

    /// <summary>Of the nearest directory that is there: a ccp that has logged nothing yet has none for its logs.</summary>
    public static (long Size, long Free) RoomAt(string path)
    {
        while (!Directory.Exists(path) && Path.GetDirectoryName(path) is { } above)
        {
            path = above;
        }

        var disk = new DriveInfo(path);
        return (disk.TotalSize, disk.AvailableFreeSpace);
    }

    /// <returns>Null for a disk that was told of already. Of two that have the same size and the same room, one line says all there is to know.</returns>
    private static FindingView? Look(string topic, string path, string whenFull, Func<string, (long Size, long Free)> room, List<(long Size, long Free)> told)
    {
        try
        {
            var found = room(path);
            if (told.Exists(one => one.Size == found.Size && Math.Abs(one.Free - found.Free) < MebiByte))
            {
                return null;
            }

            told.Add(found);
            var words = $"{found.Free / MebiByte} MiB are left on the disk of {path}";
            return found.Free < StoreHealth.FreeBytesMin ? new FindingView(topic, FindingView.Problem, $"{words}: {whenFull}. Free some space.")
                : found.Free < LittleRoom ? new FindingView(topic, FindingView.Warning, $"{words}. Free some space before {whenFull}.")
                : new FindingView(topic, FindingView.Ok, words);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new FindingView(topic, FindingView.Problem, $"The disk of {path} cannot be looked at: {error.Message}");
        }
    }
}
