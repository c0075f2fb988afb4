using System.Security.Cryptography;

namespace Ccp.Configuration;

/// <summary>What a file is at one moment, to be compared with what it is at another. Links are followed. What cannot be read is as what is not there.</summary>
/// <param name="Sha256">Null when it is empty. Time and length alone miss a file that was moved into the place of another.</param>
internal readonly record struct FileStamp(DateTime WrittenAt, string? Sha256)
{
    public static FileStamp Of(string path)
    {
        try
        {
            var link = new FileInfo(path);
            var file = link.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? link;
            return file.Exists ? new FileStamp(file.LastWriteTimeUtc, HashOf(file)) : default;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    private static string? HashOf(FileInfo file)
    {
        // Not opened when empty: a pipe has no length, and opening one waits for somebody who writes.
        if (file.Length == 0)
        {
            return null;
        }

        using var text = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Convert.ToHexStringLower(SHA256.HashData(text));
    }
}
