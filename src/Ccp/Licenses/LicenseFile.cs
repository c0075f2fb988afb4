namespace Ccp.Licenses;

/// <summary>A pack, a license or a signature in a file, whatever program wrote it: a byte order mark is no part of it.</summary>
internal static class LicenseFile
{
    // Many times what a license is long; a path that leads to something endless must not be read to its end.
    private const int BytesMax = 64 * 1024;

    /// <returns>Null when it is too long for a license.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static string? Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[BytesMax];
        var length = file.ReadAtLeast(bytes, BytesMax, throwOnEndOfStream: false);
        using var reader = new StreamReader(new MemoryStream(bytes, 0, length));
        return length < BytesMax ? reader.ReadToEnd() : null;
    }
}
