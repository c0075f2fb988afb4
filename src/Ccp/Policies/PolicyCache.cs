using System.Text;
using Ccp.Files;
using Ccp.Licensing;

namespace Ccp.Policies;

/// <summary>The last policy pack that was good, kept for later starts: its signature on the first line, then its very bytes. What is read is verified again by whoever uses it.</summary>
internal sealed class PolicyCache(string path)
{
    /// <returns>Null when there is none.</returns>
    /// <exception cref="IOException">There is one, and it cannot be read.</exception>
    public FetchedPolicy? Read()
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            var bytes = new byte[PolicyPack.BytesMax + PolicyPack.SignatureBytesMax + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var end = Math.Max(0, bytes.AsSpan(0, length).IndexOf((byte)'\n'));
            return new FetchedPolicy(bytes[Math.Min(end + 1, length)..length], bytes[..end]);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new IOException(error.Message, error);
        }
    }

    /// <exception cref="IOException">It cannot be kept.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public void Write(FetchedPolicy policy) =>
        DurableFile.Write(path, [.. Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(policy.Signature).Trim()), (byte)'\n', .. policy.Pack], overwrite: true);
}
