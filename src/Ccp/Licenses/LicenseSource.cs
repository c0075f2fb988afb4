using System.Text;
using Ccp.Files;
using Ccp.Licensing;

namespace Ccp.Licenses;

/// <summary>Where the license comes from: the environment when it says something, else a file.</summary>
/// <remarks>A variable holds the thing itself (a pack and a license begin with a brace, a signature is 88 characters of base64), or the path of a file with it.</remarks>
internal sealed class LicenseSource
{
    public const string PackVariable = "CC_LICENSE_PACK";
    public const string LicenseVariable = "CC_LICENSE_JSON";
    public const string SignatureVariable = "CC_LICENSE_SIG";

    private const int SignatureLength = 88;

    private readonly string? _pack;
    private readonly string? _license;
    private readonly string? _signature;

    public LicenseSource(string path, Func<string, string?> environment)
    {
        Path = path;
        _pack = NonEmpty(environment(PackVariable));
        _license = NonEmpty(environment(LicenseVariable));
        _signature = NonEmpty(environment(SignatureVariable));
    }

    /// <summary>The file that an activated license is kept in.</summary>
    public string Path { get; }

    /// <summary>The variable that decides instead of the file; null when none is set.</summary>
    public string? Variable => _pack is not null ? PackVariable : _license is not null ? LicenseVariable : _signature is not null ? SignatureVariable : null;

    /// <summary>Whether a license comes from a variable, by what it is said to come from; else that is a path.</summary>
    public static bool IsVariable(string name) => name is PackVariable or LicenseVariable or SignatureVariable;

    /// <returns>A pack; empty when there is none.</returns>
    /// <exception cref="IOException">There is something, and it cannot be read. The message is a sentence for the operator.</exception>
    public byte[] Read()
    {
        if (_pack is not null)
        {
            return Stated(PackVariable, _pack, IsJson(_pack));
        }

        if (_license is not null && _signature is not null)
        {
            var signature = Stated(SignatureVariable, _signature, _signature.Length == SignatureLength && _signature.EndsWith('='));
            return LicensePack.Join(Stated(LicenseVariable, _license, IsJson(_license)), Encoding.UTF8.GetString(signature));
        }

        if (Variable is not null)
        {
            throw new IOException($"{LicenseVariable} and {SignatureVariable} are set together or not at all");
        }

        return File.Exists(Path) ? FromFile(Path, Path) : [];
    }

    public void Write(ReadOnlySpan<byte> pack) => DurableFile.Write(Path, pack, overwrite: true);

    public void Delete()
    {
        try
        {
            File.Delete(Path);
        }
        catch (DirectoryNotFoundException)
        {
            // Nor is there a license, then.
        }
    }

    private static byte[] Stated(string variable, string value, bool isTheThingItself)
    {
        // Not repeated in a message: it may be a pack with a letter missing.
        return isTheThingItself ? Encoding.UTF8.GetBytes(value) : FromFile(value, $"{variable} holds neither the thing itself nor the path of a file: the file");
    }

    private static byte[] FromFile(string path, string name)
    {
        try
        {
            return Encoding.UTF8.GetBytes(LicenseFile.Read(path) ?? throw new IOException($"{name} is too long for a license"));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException or ArgumentException or NotSupportedException or PathTooLongException)
        {
            throw new IOException($"{name} {(error is UnauthorizedAccessException ? "may not be read by ccp's user" : "does not exist")}", error);
        }
    }

    private static bool IsJson(string value) => value.StartsWith('{');

    private static string? NonEmpty(string? value) => value?.Trim() is { Length: > 0 } text ? text : null;
}
