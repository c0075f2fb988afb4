using Ccp.Configuration;

namespace Ccp.Cli;

/// <summary>Where <c>--api-key</c> takes the key from. Never the argument itself.</summary>
internal static class ApiKeySource
{
    public const string Description = "The user's own upstream key: - reads it from standard input, env:NAME from a variable, file:/path from a file that only you can read.";

    /// <param name="stated">Null: no key is stated.</param>
    /// <exception cref="WrongUsageException">It states a key, or nothing that can be read.</exception>
    public static string? Read(string? stated, Func<string, string?> environment, TextReader input)
    {
        if (stated is null)
        {
            return null;
        }

        if (stated == "-")
        {
            return input.ReadLine()?.Trim() is { Length: > 0 } line ? line : throw new WrongUsageException("--api-key -: there is no key on standard input.");
        }

        if (stated.StartsWith("env:", StringComparison.Ordinal))
        {
            var name = stated["env:".Length..];
            return environment(name)?.Trim() is { Length: > 0 } value ? value : throw new WrongUsageException($"--api-key: the variable {name} is not set.");
        }

        if (stated.StartsWith("file:/", StringComparison.Ordinal))
        {
            var file = SecretFile.Read(stated["file:".Length..]);
            return file.Content?.Trim() is { Length: > 0 } content ? content : throw new WrongUsageException($"--api-key: the file {file.Refusal ?? "is empty"}.");
        }

        // Not repeated: it may well be the key.
        throw new WrongUsageException("--api-key takes no key itself: everyone on this host can read arguments with ps, and shells keep them in a file. Use - to give it on standard input, env:NAME or file:/path.");
    }
}
