using System.Runtime.InteropServices;

namespace Ccp.Store;

/// <summary>Files that are still there after a power cut: their bytes, and the names in their directory.</summary>
internal static partial class DurableFile
{
    private const int ReadOnly = 0;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>An empty file for its owner only. Follows no link and takes over no file that is there.</summary>
    public static void MakePrivate(string path) =>
        new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }).Dispose();

    public static void Sync(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Renames, in one step, within a directory, and puts the directory on disk.</summary>
    public static void Move(string from, string to, bool overwrite)
    {
        File.Move(from, to, overwrite);
        SyncDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(to))!);
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
