using System.Text.Json;
using Ccp.Configuration;
using Ccp.Configuration.Toml;

namespace Ccp.Issuing;

/// <summary>Reads invites: TOML with <c>[[invite]]</c> tables, or JSON <c>{"invite":[{…}]}</c> with the same members.</summary>
internal static class InviteFile
{
    public const int CodeLengthMin = 8;
    public const int CodeLengthMax = 128;

    /// <returns>By code; or what is wrong, all of it at once.</returns>
    public static (IReadOnlyDictionary<string, Invite>? Invites, IReadOnlyList<ConfigProblem> Problems) Read(string fileName, ReadOnlySpan<byte> bytes)
    {
        var problems = new ConfigProblems(fileName);
        if (Root(bytes, problems) is not { } root)
        {
            return (null, problems.InOrder());
        }

        var invites = new Dictionary<string, Invite>(StringComparer.Ordinal);
        var table = new ConfigTable(root, "", problems);
        foreach (var entry in table.Tables("invite"))
        {
            if (ReadInvite(entry) is { } invite && !invites.TryAdd(invite.Code, invite))
            {
                entry.Refuse("code", "this code stands twice");
            }
        }

        table.RefuseUnknown();
        var found = problems.InOrder();
        return (found.Count == 0 ? invites : null, found);
    }

    /// <summary>What stands in a license and in a log.</summary>
    public static bool IsWord(string text) => text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');

    private static TomlTable? Root(ReadOnlySpan<byte> bytes, ConfigProblems problems)
    {
        if (bytes.TrimStart(" \t\r\n"u8).StartsWith("{"u8))
        {
            try
            {
                return JsonTree.Read(bytes, moment: "expires_at");
            }
            catch (JsonException error)
            {
                problems.Add(new TomlPosition((int)(error.LineNumber ?? 0) + 1, (int)(error.BytePositionInLine ?? 0) + 1), null, "this is not JSON");
                return null;
            }
        }

        var document = TomlDocument.Parse(bytes);
        foreach (var problem in document.Problems)
        {
            problems.Add(problem.At, null, problem.Message);
        }

        return document.Problems.Count == 0 ? document.Root : null;
    }

    private static Invite? ReadInvite(ConfigTable table)
    {
        foreach (var required in new[] { "code", "plan", "ttl_days", "max_redemptions" })
        {
            table.Require(required);
        }

        var code = table.TextOfSecret("code");
        if (code is not null && (code.Length is < CodeLengthMin or > CodeLengthMax || code.Any(c => c is <= ' ' or > '~')))
        {
            table.Refuse("code", $"expected {CodeLengthMin} to {CodeLengthMax} letters, digits and signs without blanks");
        }

        var plan = Word(table, "plan", table.Text("plan"));
        var features = (table.Texts("features", "a list of features such as [\"zai_offload\"]") ?? []).Select(text => Word(table, "features", text.Text)).OfType<string>().ToList();
        var days = table.WholeNumber("ttl_days", 1, 36_500);
        var redemptions = table.WholeNumber("max_redemptions", 1, 1_000_000_000);
        var expires = table.Moment("expires_at");
        table.RefuseUnknown();
        return code is not null && plan is not null && days is { } lasts && redemptions is { } most ? new Invite(code, plan, features, TimeSpan.FromDays(lasts), most, expires) : null;
    }

    private static string? Word(ConfigTable table, string key, string? text)
    {
        if (text is not null && !IsWord(text))
        {
            table.Refuse(key, "expected up to 64 letters, digits, \"_\", \"-\" and \".\"");
        }

        return text;
    }
}
