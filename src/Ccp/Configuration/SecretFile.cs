using System.Text;

namespace Ccp.Configuration;

/// <summary>What a <c>file:/path</c> reference leads to. Exactly one of the two is set.</summary>
/// <param name="Content">The whole text, untrimmed.</param>
/// <param name="Refusal">Why the file may not be used, as the end of a sentence about it.</param>
internal sealed record SecretFile(string? Content, string? Refusal)
{
    private const int BytesMax = 64 * 1024;

    private const UnixFileMode ForOthers =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Reads a file that only its owner can read. Errors: given as <see cref="Refusal"/>, none thrown.</summary>
    public static SecretFile Read(string path) => ReadUpTo(BytesMax, path);

    /// <inheritdoc cref="Read"/>
    /// <param name="bytesMax">For a file that holds many secrets.</param>
    public static SecretFile ReadUpTo(int bytesMax, string path)
    {
        try
        {
            using var handle = File.OpenHandle(path);

            // Asked of the open file and not of its name, so that the file that was checked is the file that is read.
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(handle) & ForOthers) != 0)
            {
                return new SecretFile(null, "can be read or changed by others; run chmod 600 on it");
            }

            var bytes = new byte[bytesMax];
            var length = 0;
            int read;
            while (length < bytesMax && (read = RandomAccess.Read(handle, bytes.AsSpan(length), length)) > 0)
            {
                length += read;
            }

            return length == bytesMax ? new SecretFile(null, "is too large for a secret") : new SecretFile(Encoding.UTF8.GetString(bytes, 0, length), null);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return new SecretFile(null, "does not exist");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return new SecretFile(null, "cannot be read");
        }
    }
}
