using System.Text;
using System.Text.Json;
using Ccp.Licenses;
using Ccp.Licensing;

namespace Ccp.Cli;

/// <summary>Where <c>ccp license activate</c> takes the pack from: the argument itself, a file, or standard input.</summary>
internal static class PackSource
{
    /// <exception cref="WrongUsageException">There is nothing to be read.</exception>
    public static string Read(string stated, TextReader input)
    {
        if (stated == "-")
        {
            return NonEmpty(input.ReadToEnd().TrimStart('\uFEFF'), "standard input");
        }

        if (stated.TrimStart().StartsWith('{'))
        {
            return stated;
        }

        var pack = FromFile(stated);

        // The two-file form: license.json, and license.sig beside it.
        var signature = Path.ChangeExtension(stated, ".sig");
        if (!IsPack(pack) && !File.Exists(signature))
        {
            throw new WrongUsageException($"{stated} holds a license without its signature, and there is no {signature}. Put the license's .sig file there, or activate the pack, which holds both.");
        }

        return !IsPack(pack) ? Encoding.UTF8.GetString(LicensePack.Join(Encoding.UTF8.GetBytes(pack), FromFile(signature))) : pack;
    }

    private static string FromFile(string path)
    {
        try
        {
            return NonEmpty(LicenseFile.Read(path) ?? throw new WrongUsageException($"{path} is too long for a license."), path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new WrongUsageException($"{path} cannot be read: {error.Message} Give the pack itself, in single quotes, the path of a file that holds it, or - to read it from standard input.");
        }
    }

    private static string NonEmpty(string text, string name) =>
        string.IsNullOrWhiteSpace(text) ? throw new WrongUsageException($"There is no license in {name}.") : text;

    private static bool IsPack(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind != JsonValueKind.Object || document.RootElement.TryGetProperty("license", out _);
        }
        catch (JsonException)
        {
            // What it is instead is said by whoever verifies it.
            return true;
        }
    }
}
