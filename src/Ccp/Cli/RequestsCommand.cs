using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp requests</c>: the calls that were served, with the ids that receipts and refunds go by.</summary>
internal static class RequestsCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var name = new Argument<string?>("name") { Description = "Only this user.", HelpName = "NAME", Arity = ArgumentArity.ZeroOrOne };
        var limit = new Option<int>("--limit") { Description = "How many requests, 1 to 1000.", HelpName = "N", DefaultValueFactory = _ => 20 };
        var before = new Option<string?>("--before") { Description = "Only requests older than the one with this id.", HelpName = "REQUEST-ID" };
        var command = new Command("requests", "Show the requests that were served, newest first.\n\nExample: ccp requests alice --limit 5") { name, limit, before };
        return command.Asks(
            environment,
            parsed => new AdminCall("GET", "/admin/requests")
            {
                Query = AdminCall.QueryOf(
                    ("username", parsed.GetValue(name)),
                    ("limit", parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture)),
                    ("before", parsed.GetValue(before))),
            },
            Show);
    }

    /// <summary>The usage log's "streaming" means a stream that went through to its end; in a table of ended calls it reads as one that goes on.</summary>
    public static string Ended(string reason) => reason is "ok" or "streaming" ? "complete" : reason;

    private static int Show(JsonElement answer)
    {
        var rows = answer.EnumerateArray().Select(request => new[]
        {
            request.Text("id"),
            request.Instant("at"),
            request.Text("username"),
            request.Text("model"),
            Ended(request.Text("reason")),
            request.Text("estimated"),
            request.Text("inputTokens"),
            request.Text("cacheReadTokens"),
            request.Text("cacheWriteTokens"),
            request.Text("outputTokens"),
            request.Dollars("costDollars"),
        });
        Terminal.Table(["Id", "At (UTC)", "User", "Model", "Ended", "Estimated", " Input", " Cache read", " Cache write", " Output", " Charged USD"], [.. rows]);
        return ExitCodes.Ok;
    }
}
