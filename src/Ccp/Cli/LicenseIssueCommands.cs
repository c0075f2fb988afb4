using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Files;
using Ccp.Issuing;
using Ccp.Licenses;
using Ccp.Licensing;

namespace Ccp.Cli;

/// <summary><c>ccp license keygen</c> and <c>issue</c>: for whoever gives licenses out. They need no server and no store.</summary>
internal static class LicenseIssueCommands
{
    private const int SubjectLengthMax = 254;

    public static Option<string> KeyFile() => new("--key") { Description = "The file of the private key that ccp license keygen made.", HelpName = "FILE", Required = true };

    public static Command KeyGen()
    {
        var key = new Option<string>("--key") { Description = "Where to write the private key. An existing file is never overwritten.", HelpName = "FILE", Required = true };
        var id = new Option<string?>("--kid") { Description = "The key's id. Default: one made from the key itself.", HelpName = "ID" };
        var command = new Command("keygen", "Make a key to sign licenses with, and print its public half.\n\nExample: ccp license keygen --key license.key") { key, id };
        command.SetAction(parsed => ApiCommand.RunAsync(() => Task.FromResult(KeyGen(parsed.GetRequiredValue(key), parsed.GetValue(id)))));
        return command;
    }

    public static Command Issue()
    {
        var key = KeyFile();
        var plan = new Option<string>("--plan") { Description = "trial, pro, enterprise, or another word.", HelpName = "PLAN", Required = true };
        var feature = new Option<string[]>("--feature") { Description = "What the license allows, such as zai_offload. May be given several times.", HelpName = "FEATURE" };
        var days = new Option<int>("--days") { Description = "How long it is valid, from now.", HelpName = "N", Required = true };
        var subject = new Option<string>("--sub") { Description = "Whom it is for.", HelpName = "TEXT", DefaultValueFactory = _ => "anonymous" };
        var device = new Option<string?>("--device") { Description = "The one host it is for, as ccp license status there shows it; or this, for this host.", HelpName = "DEVICE" };
        var command = new Command("issue", "Sign a license and print its pack.\n\nExample: ccp license issue --key license.key --plan pro --feature zai_offload --days 365 > license.pack")
        {
            key, plan, feature, days, subject, device,
        };
        command.SetAction(parsed => ApiCommand.RunAsync(() =>
        {
            if (Doubt(parsed.GetValue(feature) ?? []) is { } doubt)
            {
                Console.Error.WriteLine(Terminal.Clean(doubt));
            }

            Console.WriteLine(Sign(
                ReadKey(parsed.GetRequiredValue(key)),
                parsed.GetRequiredValue(plan),
                parsed.GetValue(feature) ?? [],
                parsed.GetRequiredValue(days),
                parsed.GetRequiredValue(subject),
                parsed.GetValue(device)).Pack);
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    /// <summary>What an issuer ought to look at again; null: nothing. A lane of the operator's own may require any word, so nothing is refused.</summary>
    public static string? Doubt(IReadOnlyList<string> features) =>
        features.Count == 0 ? "The license names no feature: it allows nothing beyond the Community edition. State --feature zai_offload for the lane to Z.ai."
        : LicenseWords.Unasked(features, [BuiltInLanes.ZaiFeature]) is [_, ..] unknown ? $"ccp itself asks for zai_offload alone: {string.Join(", ", unknown)} counts only where a [[lane]] requires it."
        : null;

    /// <exception cref="WrongUsageException">The file is not there, can be read by others, or holds something else.</exception>
    public static SigningKey ReadKey(string path)
    {
        var file = SecretFile.Read(path);
        return file.Content is null
            ? throw new WrongUsageException($"The key file {path} {file.Refusal}.")
            : SigningKey.Parse(file.Content) ?? throw new WrongUsageException($"The file {path} holds no private key as ccp license keygen writes it.");
    }

    private static int KeyGen(string path, string? id)
    {
        if (id is not null && !SigningKey.IsId(id))
        {
            throw new WrongUsageException("A key's id has 1 to 64 letters, digits, \"-\", \"_\" and \".\".");
        }

        var key = SigningKey.New(id);
        DurableFile.Create(path, Encoding.ASCII.GetBytes(key.PrivateText() + "\n"));
        Console.Error.WriteLine(Terminal.Clean($"The private key is in {path}: keep it apart from every server. A build trusts its licenses with CcpLicenseKeys set to:"));
        Console.WriteLine(key.PublicText);
        return ExitCodes.Ok;
    }

    public static SignedLicense Sign(SigningKey key, string plan, string[] features, int days, string subject, string? device)
    {
        if (!InviteFile.IsWord(plan) || !features.All(InviteFile.IsWord))
        {
            throw new WrongUsageException("A plan and a feature have up to 64 letters, digits, \"_\", \"-\" and \".\".");
        }

        if (days is < 1 or > 36_500)
        {
            throw new WrongUsageException("--days is a whole number from 1 to 36500.");
        }

        if (subject.Length is 0 or > SubjectLengthMax || subject.Any(c => char.IsControl(c) || char.IsSurrogate(c)))
        {
            throw new WrongUsageException($"--sub is one line of at most {SubjectLengthMax} letters.");
        }

        var bound = device == "this" ? HostDevice.Id : device;
        if (bound is not null && !LicenseDevice.IsId(bound))
        {
            throw new WrongUsageException("--device is the base64 text that ccp license status shows on the host in question, or: this.");
        }

        var now = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        var claims = new LicenseClaims(subject, plan, features, now, now.AddDays(days), key.Id, bound);
        return SignedLicense.Sign(claims, RandomNumberGenerator.GetHexString(32, lowercase: true), key);
    }
}
