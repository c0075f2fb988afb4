using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp savings</c>: what it brought to send requests to other lanes than the default one.</summary>
internal static class SavingsCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var since = new Option<string>("--since") { Description = "How far back: an age such as 30d or 12h, or a day such as 2026-11-22.", HelpName = "AGE|DAY", DefaultValueFactory = _ => "30d" };
        var command = new Command(
            "savings",
            "Show what requests on other lanes cost, and what the same tokens would have cost on the default lane. Both are what the provider asks of you, before any markup; a negative saving is a loss. Prices are those of the day of each request.\n\nExample: ccp savings --since 90d") { since };
        return command.Asks(
            environment,
            parsed => new AdminCall("GET", "/admin/savings") { Query = AdminCall.QueryOf(("since", parsed.GetValue(since))) },
            Show);
    }

    private static int Show(JsonElement answer)
    {
        var rows = answer.GetProperty("lines").EnumerateArray().Select(line => new[]
        {
            line.Text("month"),
            line.Text("model"),
            line.Text("username"),
            line.Text("requests"),
            line.Dollars("laneCostDollars"),
            line.Dollars("defaultLaneCostDollars"),
            line.Dollars("savedDollars"),
        });
        Terminal.Table(
            ["Month", "Model", "User", " Requests", " Cost USD", $" On {answer.Text("defaultLane")} USD", " Saved USD"],
            [.. rows, ["all", "", "", answer.Text("compared"), answer.Dollars("laneCostDollars"), answer.Dollars("defaultLaneCostDollars"), answer.Dollars("savedDollars")]]);
        var notCompared = answer.GetProperty("notCompared");
        Tell(notCompared.Text("withoutPrice"), $"of models that have no price on the {answer.Text("defaultLane")} lane");
        Tell(notCompared.Text("withoutUsage"), "recorded by an older ccp, which kept too little");
        return ExitCodes.Ok;
    }

    private static void Tell(string count, string reason)
    {
        if (count != "0")
        {
            Console.Error.WriteLine(Terminal.Clean($"Not compared, {reason}: {count}."));
        }
    }
}
