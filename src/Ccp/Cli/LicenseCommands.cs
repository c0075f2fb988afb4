using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ccp.Configuration;
using Ccp.Licensing;

namespace Ccp.Cli;

/// <summary><c>ccp license status</c>: what the license in the data directory allows. Without one ccp is the Community edition, which works in full.</summary>
internal static class LicenseCommands
{
    private const string FileName = "license.pack";

    public static Command Build(Func<string, string?> environment)
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var status = new Command("status", "Show the edition, and what the license allows.\n\nExample: ccp license status") { json };
        status.SetAction(parsed => ApiCommand.RunAsync(() => Task.FromResult(Show(environment, parsed.GetValue(json)))));
        return new Command("license", "Show the license.\n\nExample: ccp license status") { status };
    }

    private static int Show(Func<string, string?> environment, bool asJson)
    {
        var verdict = LicensePack.Verify(ReadPack(DataDirectory.From(environment)), TrustedKeys.CompiledIn, TimeProvider.System.GetUtcNow());
        if (asJson)
        {
            Console.WriteLine(Json(verdict));
            return ExitCodes.Ok;
        }

        if (verdict.IsValid)
        {
            Terminal.Line($"edition   {verdict.Claims.Plan}");
            Terminal.Line($"features  {string.Join(", ", verdict.Claims.Features)}");
            Terminal.Line(string.Create(CultureInfo.InvariantCulture, $"expires   {verdict.Claims.ExpiresAt:yyyy-MM-dd HH:mm:ss} UTC"));
        }
        else
        {
            Terminal.Line("edition   Community");
            Terminal.Line($"reason    {Words(verdict.Problem.Value)}");
        }

        return ExitCodes.Ok;
    }

    /// <exception cref="CommandFailedException">There is a pack and it cannot be read.</exception>
    private static byte[] ReadPack(DataDirectory data)
    {
        var path = data.Resolve(FileName);
        try
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"{path} cannot be read: {error.Message}");
        }
    }

    private static string Words(LicenseProblem problem) => problem switch
    {
        LicenseProblem.Missing => $"there is no {FileName} in the data directory",
        LicenseProblem.Malformed => "the pack is not a license with its signature",
        LicenseProblem.DuplicateMember => "the license names something twice",
        LicenseProblem.KeyUnknown => "the license is signed with a key that this build does not trust",
        LicenseProblem.SignatureInvalid => "the signature is not over this license",
        LicenseProblem.SchemaUnknown => "the license is of a kind that this version does not know",
        LicenseProblem.NotYetValid => "the license is not valid yet",
        LicenseProblem.Expired => "the license has expired",
        LicenseProblem.WrongDevice => "the license is for another host",
        _ => throw new ArgumentOutOfRangeException(nameof(problem)),
    };

    private static string Json(LicenseVerdict verdict)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("edition"u8, verdict.IsValid ? verdict.Claims.Plan : "community");
            if (verdict.IsValid)
            {
                json.WriteStartArray("features"u8);
                foreach (var feature in verdict.Claims.Features)
                {
                    json.WriteStringValue(feature);
                }

                json.WriteEndArray();
                json.WriteString("expires"u8, verdict.Claims.ExpiresAt);
            }
            else
            {
                json.WriteString("reason"u8, Words(verdict.Problem.Value));
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
