using System.Security.Cryptography;
using System.Text;

namespace Ccp.Licensing;

/// <summary>How a license names the one host it is for: base64 of the SHA-256 of <c>hostname|os|arch</c>.</summary>
internal static class LicenseDevice
{
    /// <param name="os">Such as <c>linux</c>.</param>
    /// <param name="architecture">Such as <c>amd64</c>.</param>
    public static string IdOf(string hostName, string os, string architecture) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{hostName}|{os}|{architecture}")));

    /// <summary>Whether a text could be one. An issuer binds no license to anything else: it would be valid nowhere.</summary>
    public static bool IsId(string text)
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        return Convert.TryFromBase64String(text, bytes, out var length) && length == bytes.Length && Convert.ToBase64String(bytes) == text;
    }
}
