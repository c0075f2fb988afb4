using System.Runtime.InteropServices;

namespace Ccp.Configuration;

/// <summary>Files for their owner only, replaced whole: a reader, or a power cut, finds the old bytes or the new ones.</summary>
/// <remarks>Errors: <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>; the old file then stands.</remarks>
internal static partial class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="IOException">There is such a file already.</exception>
    public static void Create(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    public static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var whole = Path.GetFullPath(path);
        var beside = $"{whole}.{Guid.NewGuid():N}.new";
        try
        {
            Create(beside, bytes);
            File.Move(beside, whole, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }

        SyncDirectory(Path.GetDirectoryName(whole)!);
    }

    /// <summary>The name is on disk only when its directory is.</summary>
    private static void SyncDirectory(string path)
    {
        var directory = Open(path, 0);
        var isSynced = directory >= 0 && Sync(directory) == 0;
        var error = Marshal.GetLastPInvokeErrorMessage();
        if (directory >= 0)
        {
            _ = Close(directory);
        }

        if (!isSynced)
        {
            throw new IOException($"The directory {path} could not be put on disk: {error}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
