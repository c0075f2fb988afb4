using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp usage</c>: what was used, and what it cost.</summary>
internal static class UsageCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var name = new Argument<string?>("name") { Description = "Only this user.", HelpName = "NAME", Arity = ArgumentArity.ZeroOrOne };
        var since = new Option<string>("--since") { Description = "How far back: an age such as 30d or 12h, or a day such as 2026-11-22.", HelpName = "AGE|DAY", DefaultValueFactory = _ => "30d" };
        var by = new Option<string?>("--by") { Description = "What to sum by. Default: user, and for one user day.", HelpName = "day|model|user|session" };
        by.AcceptOnlyFromAmong("day", "model", "user", "session");
        var command = new Command("usage", "Show what was used, and what was charged for it. Refunds and adjustments are in the ledger.\n\nExample: ccp usage alice --since 7d --by model") { name, since, by };
        return command.Asks(
            environment,
            parsed => new AdminCall("GET", "/admin/usage/by")
            {
                Query = AdminCall.QueryOf(
                    ("username", parsed.GetValue(name)),
                    ("since", parsed.GetValue(since)),
                    ("by", parsed.GetValue(by) ?? (parsed.GetValue(name) is null ? "user" : "day"))),
            },
            Show);
    }

    private static int Show(JsonElement answer)
    {
        var rows = answer.EnumerateArray().Select(group => new[]
        {
            group.Text("day") + group.Text("model") + group.Text("user") + group.Text("session"),
            group.Text("requests"),
            group.Text("inputTokens"),
            group.Text("outputTokens"),
            group.Text("cacheReadTokens"),
            group.Text("cacheWriteTokens"),
            group.Dollars("costDollars"),
            group.Dollars("upstreamCostDollars"),
        });
        Terminal.Table(["What", " Requests", " Input", " Output", " Cache read", " Cache write", " Charged USD", " Upstream USD"], [.. rows]);
        return ExitCodes.Ok;
    }
}
