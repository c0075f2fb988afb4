using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp ledger</c>: every movement of money, and the proof that none was changed.</summary>
internal static class LedgerCommands
{
    public static Command Build(Func<string, string?> environment) => new("ledger", "Show or verify the ledger, or find what it lacks.\n\nExample: ccp ledger verify")
    {
        Entries(environment),
        Verify(environment),
        LedgerMissingCommand.Build(environment),
    };

    private static Command Entries(Func<string, string?> environment)
    {
        var name = new Argument<string?>("name") { Description = "Only this user.", HelpName = "NAME", Arity = ArgumentArity.ZeroOrOne };
        var limit = new Option<int>("--limit") { Description = "How many entries, 1 to 1000.", HelpName = "N", DefaultValueFactory = _ => 100 };
        var before = new Option<long?>("--before") { Description = "Only entries older than the one with this number.", HelpName = "ID" };
        var command = new Command("show", "Show the ledger's entries, newest first.\n\nExample: ccp ledger show alice --limit 20") { name, limit, before };
        return command.Asks(
            environment,
            parsed => new AdminCall("GET", "/admin/ledger")
            {
                Query = AdminCall.QueryOf(
                    ("username", parsed.GetValue(name)),
                    ("limit", parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture)),
                    ("before", parsed.GetValue(before)?.ToString(CultureInfo.InvariantCulture))),
            },
            ShowEntries);
    }

    private static Command Verify(Func<string, string?> environment) =>
        new Command("verify", "Recompute every balance and every hash. Fails when one is wrong, and says which.\n\nExample: ccp ledger verify")
            .Asks(environment, _ => new AdminCall("GET", "/admin/ledger/verify"), ShowVerdict);

    private static int ShowEntries(JsonElement answer)
    {
        var rows = answer.EnumerateArray().Select(entry => new[]
        {
            entry.Text("id"),
            entry.Instant("at"),
            entry.Text("username"),
            entry.Text("kind"),
            entry.Dollars("amount"),
            entry.Dollars("balanceAfter"),
            entry.Text("reference"),
            entry.Text("actor"),
            entry.Text("note"),
        });
        Terminal.Table([" Id", "At (UTC)", "User", "Kind", " Amount USD", " Balance USD", "Reference", "By", "Note"], [.. rows]);
        return ExitCodes.Ok;
    }

    private static int ShowVerdict(JsonElement answer)
    {
        Terminal.Line($"entries   {answer.Text("entries")}");
        Terminal.Line($"accounts  {answer.Text("accounts")}");
        Terminal.Line($"head id   {answer.Text("headId")}");
        Terminal.Line($"head hash {answer.Text("headHash")}");
        if (answer.Text("ok") == "yes")
        {
            Terminal.Line("Every balance and every hash is right.");
            return ExitCodes.Ok;
        }

        // The head above is then the last entry that is right.
        Console.Error.WriteLine(Terminal.Clean($"The ledger is not right: {answer.Text("problem")}."));
        return ExitCodes.Failed;
    }
}
