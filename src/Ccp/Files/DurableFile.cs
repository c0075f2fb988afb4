using System.Runtime.InteropServices;

namespace Ccp.Files;

/// <summary>Files that are still there after a power cut, their names included, and that a reader finds whole: the old bytes or the new ones.</summary>
/// <remarks>New files are for their owner only. Errors: <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>; what stood then stands.</remarks>
internal static partial class DurableFile
{
    private const int ReadOnly = 0;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Follows no link and takes over no file that is there.</summary>
    /// <exception cref="IOException">There is such a file already.</exception>
    public static void Create(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Writes beside and moves: whoever is killed on the way leaves the old file, or none, and never half of one.</summary>
    /// <param name="overwrite">False: a file that has come to stand there meanwhile stays, and this throws.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool overwrite)
    {
        var beside = $"{Path.GetFullPath(path)}.{Guid.NewGuid():N}.new";
        try
        {
            Create(beside, bytes);
            Move(beside, path, overwrite);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    public static void Sync(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Renames, in one step, within a directory, and puts the directory on disk.</summary>
    public static void Move(string from, string to, bool overwrite)
    {
        File.Move(from, to, overwrite);
        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    /// <exception cref="IOException">The names may not be on disk.</exception>
    private static void SyncDirectory(string path)
    {
        var directory = Open(path, ReadOnly);
        var result = directory < 0 ? directory : FileSync(directory);
        var error = Marshal.GetLastPInvokeErrorMessage();
        if (directory >= 0)
        {
            _ = Close(directory);
        }

        if (result < 0)
        {
            throw new IOException($"The directory {path} could not be put on disk: {error}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
