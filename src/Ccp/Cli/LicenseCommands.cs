using System.CommandLine;
using System.Text.Json;
using Ccp.Licensing;

namespace Ccp.Cli;

/// <summary><c>ccp license</c>: the license of this ccp. Without one it is the Community edition, which works in full on the Anthropic lane.</summary>
internal static class LicenseCommands
{
    public const string ApiPath = "/admin/license";

    /// <param name="keys">Null: those that this build trusts.</param>
    public static Command Build(Func<string, string?> environment, IReadOnlyDictionary<string, byte[]>? keys = null)
    {
        var trusted = keys ?? TrustedKeys.With(environment(TrustedKeys.Variable), TrustedKeys.IsDevBuild, out _);
        return new Command("license", "Show, activate or issue licenses.\n\nExample: ccp license status")
        {
            Status(environment, trusted),
            Activate(environment, trusted),
            Deactivate(environment, trusted),
            LicenseLoginCommand.Build(environment, trusted),
            LicenseIssueCommands.KeyGen(),
            LicenseIssueCommands.Issue(),
            LicenseIssuerCommand.Build(),
        };
    }

    /// <summary>The server that is named or runs here; else the license's file.</summary>
    /// <param name="say">Shows the person a line; null: on standard error.</param>
    public static Func<string?, string?, Task<AdminConnection>> Opening(Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys, Action<string>? say = null) =>
        async (server, config) =>
        {
            _ = TrustedKeys.With(environment(TrustedKeys.Variable), TrustedKeys.IsDevBuild, out var problem);
            say ??= Say;
            if (problem is not null)
            {
                say(problem);
            }

            return await AdminConnections.FindServerAsync(server, environment) is { } running ? running : LicenseFileConnection.Open(config, environment, keys, say);
        };

    public static void Say(string line) => Console.Error.WriteLine(Terminal.Clean(line));

    public static int Show(JsonElement license)
    {
        Terminal.Line($"edition   {(license.Text("edition") == "community" ? "Community" : license.Text("edition"))}");
        if (license.Text("reason") is { Length: > 0 } reason)
        {
            Terminal.Line($"reason    {reason}");
        }
        else
        {
            Terminal.Line($"features  {Words(license.GetProperty("features"))}");
            Terminal.Line($"expires   {license.Instant("expires")} UTC");
            Terminal.Line($"key       {license.Text("kid")}");
        }

        Terminal.Line($"from      {license.Text("source")}");
        Terminal.Line($"device    {license.Text("device")}{(license.Text("deviceBound") == "yes" ? " (the license is for this host only)" : "")}");
        if (license.TryGetProperty("replaced", out var replaced))
        {
            Terminal.Line($"replaced  {replaced.Text("edition")} until {replaced.Instant("expires")} UTC, features {Words(replaced.GetProperty("features"))}");
        }

        if (license.TryGetProperty("unknownFeatures", out var unknown))
        {
            Console.Error.WriteLine(Terminal.Clean($"Nothing in this ccp asks for {Words(unknown)}: its issuer may have misspelt it, or it is for a lane that requires it and is not configured here."));
        }

        if (license.Text("warning") is { Length: > 0 } warning)
        {
            Console.Error.WriteLine(Terminal.Clean(warning));
        }

        return ExitCodes.Ok;
    }

    private static string Words(JsonElement features) => features.GetArrayLength() == 0 ? "none" : string.Join(", ", features.EnumerateArray());

    private static Command Status(Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys) =>
        new Command("status", "Show the edition, what the license allows, and this host's device.\n\nExample: ccp license status --json")
            .Asks(
                environment,
                _ => new AdminCall("GET", ApiPath),
                Show,
                Opening(environment, keys));

    private static Command Activate(Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys)
    {
        var pack = new Argument<string>("pack") { Description = "The pack itself, a file that holds it, or - for standard input. For license.json the signature is read from license.sig beside it.", HelpName = "PACK|FILE|-" };
        return new Command("activate", "Take up a license, at once and for later starts. A license that is not valid is refused, and the one before stands.\n\nExample: ccp license activate license.pack") { pack }
            .Asks(
                environment,
                parsed => new AdminCall("POST", ApiPath) { Body = AdminCall.BodyOf(("pack", PackSource.Read(parsed.GetRequiredValue(pack), Console.In))) },
                Show,
                Opening(environment, keys));
    }

    private static Command Deactivate(Func<string, string?> environment, IReadOnlyDictionary<string, byte[]> keys) =>
        new Command("deactivate", "Delete the license: ccp goes on as the Community edition.\n\nExample: ccp license deactivate")
            .Asks(environment, _ => new AdminCall("DELETE", ApiPath), Show, Opening(environment, keys));
}
