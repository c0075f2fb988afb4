namespace Ccp.Configuration.Sections;

/// <summary>What may stand where a model, a user or a key is named.</summary>
internal static class Names
{
    /// <summary>Narrow enough to stand unquoted in a command, a URL, a log line and a file name.</summary>
    private const string OwnExpected = "1 to 64 of the letters A-Z and a-z, digits, \".\", \"_\" and \"-\"";

    /// <summary>Printable and unbroken. Upstreams choose their ids, and a pattern adds its <c>*</c>, so no more is asked.</summary>
    public static bool IsModel(string text) => text.Length is > 0 and <= 200 && text.All(c => c is > ' ' and <= '~');

    /// <summary>Reads the <c>name</c> that a user or a key must have.</summary>
    /// <returns>Null when a problem was reported.</returns>
    public static string? ReadOwn(ConfigTable table)
    {
        table.Require("name");
        if (table.Text("name") is not { } name)
        {
            return null;
        }

        if (name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
        {
            return name;
        }

        table.Refuse("name", $"expected {OwnExpected}, found \"{ConfigTable.Shown(name)}\"");
        return null;
    }

    /// <summary>Enters a name where each may stand once; says where the first one stands when it is taken.</summary>
    /// <param name="linesOf">The names so far, and the lines they are on.</param>
    public static void EnterOnce(ConfigTable table, string key, string name, string what, Dictionary<string, int> linesOf)
    {
        var at = table.PlaceOf(key);
        if (!linesOf.TryAdd(name, at.Line))
        {
            table.Refuse(key, at, $"{what} is already on line {linesOf[name]}");
        }
    }
}
