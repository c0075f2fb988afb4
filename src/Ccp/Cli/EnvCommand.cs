using System.CommandLine;
using Ccp.Configuration;

namespace Ccp.Cli;

/// <summary><c>ccp env</c>: the lines that point a shell's Claude Code at a ccp.</summary>
internal static class EnvCommand
{
    private const string TokenVariable = "CCP_TOKEN";
    private const string ClientTokenVariable = "ANTHROPIC_AUTH_TOKEN";

    public static Command Build(Func<string, string?> environment)
    {
        var url = new Option<string?>("--url") { Description = "Where ccp is. Default: $CCP_SERVER, else http://127.0.0.1:8082.", HelpName = "URL" };
        var token = new Option<string?>("--token-file") { Description = $"A file with the access token, or - for standard input. Default: ${TokenVariable}, else $ANTHROPIC_AUTH_TOKEN as the shell has it.", HelpName = "FILE" };
        var haiku = new Option<string?>("--haiku") { Description = "Also the model that Claude Code takes for haiku.", HelpName = "MODEL" };
        var agents = new Option<string?>("--subagents") { Description = "Also the model that sub-agents run on.", HelpName = "MODEL" };
        var shell = new Option<string>("--shell") { Description = "The shell that reads the lines.", DefaultValueFactory = _ => "sh" };
        shell.AcceptOnlyFromAmong("sh", "fish", "powershell");
        var command = new Command("env", "Print the lines that point Claude Code at ccp, for a shell to read. It also takes away what would come first.\n\nExample: eval \"$(ccp env --haiku claude-haiku-4-5)\"\nExample: ccp env --shell fish | source\nExample: ccp env --shell powershell | Out-String | Invoke-Expression") { url, token, haiku, agents, shell };
        command.SetAction(parsed => ApiCommand.RunAsync(() =>
        {
            // All of it is right, or a shell is given none of it.
            var stated = TokenOf(parsed.GetValue(token), environment);
            var lines = Lines(
                ShellLines.For(parsed.GetRequiredValue(shell)),
                UrlOf(parsed.GetValue(url) ?? environment("CCP_SERVER")),
                stated,
                parsed.GetValue(haiku),
                parsed.GetValue(agents));
            Console.WriteLine(string.Join('\n', lines));
            if (Lack(stated, environment) is { } lack)
            {
                Console.Error.WriteLine(lack);
            }

            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    /// <summary>What a shell that reads the lines would still lack; null: nothing.</summary>
    public static string? Lack(string? token, Func<string, string?> environment) => token is null && string.IsNullOrWhiteSpace(environment(ClientTokenVariable))
        ? $"No access token is in these lines: set {TokenVariable}, or name a file with --token-file."
        : null;

    private static List<string> Lines(ShellLines shell, string url, string? token, string? haiku, string? agents)
    {
        List<string> lines = [shell.Set("ANTHROPIC_BASE_URL", url), shell.Unset("ANTHROPIC_API_KEY")];
        if (token is not null)
        {
            lines.Add(shell.Set(ClientTokenVariable, token));
        }

        if (haiku is not null)
        {
            lines.Add(shell.Set("ANTHROPIC_DEFAULT_HAIKU_MODEL", Model(haiku)));
        }

        if (agents is not null)
        {
            lines.Add(shell.Set("CLAUDE_CODE_SUBAGENT_MODEL", Model(agents)));
        }

        return lines;
    }

    private static string UrlOf(string? stated)
    {
        var url = stated is { Length: > 0 } text ? text.TrimEnd('/') : "http://127.0.0.1:8082";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new WrongUsageException("--url takes an address, for example http://127.0.0.1:8082.");
        }

        return address.PathAndQuery is "/" or "/api/anthropic" && address.Fragment.Length == 0
            ? url
            : throw new WrongUsageException($"The address of ccp ends with the port: the client adds /v1 and the rest itself. Leave out {address.PathAndQuery}{address.Fragment}.");
    }

    /// <returns>Null: the shell keeps the one it has.</returns>
    private static string? TokenOf(string? file, Func<string, string?> environment)
    {
        var token = file switch
        {
            null => environment(TokenVariable),
            "-" => Console.In.ReadToEnd(),
            _ => SecretFile.Read(Path.GetFullPath(file)) is { Refusal: { } refusal } ? throw new WrongUsageException($"{file} {refusal}.") : SecretFile.Read(Path.GetFullPath(file)).Content,
        };
        if (string.IsNullOrWhiteSpace(token))
        {
            return file is null ? null : throw new WrongUsageException("There is no token in it.");
        }

        // Not repeated when it is wrong: it may be another secret.
        return token.Trim().All(c => c is > ' ' and <= '~') ? token.Trim() : throw new WrongUsageException("That is no access token: it holds a blank or a line break.");
    }

    private static string Model(string name) =>
        name.Length is > 0 and <= 200 && name.All(c => c is > ' ' and <= '~') ? name : throw new WrongUsageException("A model's name is printable and has no blanks.");
}

/// <summary>How a shell sets and unsets variables. Values are quoted: nothing in them is the shell's to read.</summary>
internal sealed record ShellLines(Func<string, string, string> Set, Func<string, string> Unset)
{
    public static ShellLines For(string shell) => shell switch
    {
        "fish" => new ShellLines((name, value) => $"set -gx {name} '{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'", name => $"set -e {name}"),
        "powershell" => new ShellLines((name, value) => $"$env:{name} = '{value.Replace("'", "''", StringComparison.Ordinal)}'", name => $"Remove-Item Env:{name} -ErrorAction SilentlyContinue"),
        _ => new ShellLines((name, value) => $"export {name}='{value.Replace("'", "'\\''", StringComparison.Ordinal)}'", name => $"unset {name}"),
    };
}
