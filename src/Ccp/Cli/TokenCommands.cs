using System.CommandLine;
using Ccp.Identity;

namespace Ccp.Cli;

/// <summary><c>ccp token</c>: what the configuration file holds in a token's place.</summary>
internal static class TokenCommands
{
    public static Command Build()
    {
        var hash = new Command("hash", "Read a token from standard input and print its SHA-256, for token_sha256 in the configuration.\n\nExample: ccp token hash < token.txt");
        hash.SetAction(_ => ApiCommand.RunAsync(() => Task.FromResult(Hash(Console.In))));
        return new Command("token", "Work with access tokens.\n\nExample: ccp token hash < token.txt") { hash };
    }

    private static int Hash(TextReader input)
    {
        if (!Console.IsInputRedirected)
        {
            Console.Error.Write("Token: ");
        }

        var token = input.ReadLine()?.Trim();
        if (!Guid.TryParseExact(token, "D", out _) || AccessToken.HashOf(token) is not { } hash)
        {
            throw new CommandFailedException("Expected a token, a UUID such as uuidgen -r prints, on standard input.");
        }

        Console.WriteLine(hash);
        return ExitCodes.Ok;
    }
}
