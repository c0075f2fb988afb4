using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp pricing rerate</c>: prices recorded requests again and posts the differences.</summary>
internal static class RerateCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var since = new Option<string>("--since") { Description = "From when on: an age such as 30d or 12h, or a day such as 2026-11-22.", HelpName = "AGE|DAY", Required = true };
        var until = new Option<string?>("--until") { Description = "The last day, or an instant. Default: now.", HelpName = "DAY" };
        var user = new Option<string?>("--user") { Description = "Only this user.", HelpName = "NAME" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be corrected; post nothing." };
        var run = new Option<string?>("--run") { Description = "The id of a run that stopped on its way, to complete it. Default: a new one.", HelpName = "ID" };
        var command = new Command(
            "rerate",
            "Price recorded requests again with the price book of now, and post the differences as adjustments. A request keeps the markup it was admitted with, and a refunded one is left alone. Doing it twice changes nothing more.\n\nExample: ccp pricing rerate --since 30d --dry-run")
        {
            since, until, user, dryRun, run,
        };
        return command.Asks(
            environment,
            parsed => new AdminCall("POST", "/admin/pricing/rerate")
            {
                Body = AdminCall.BodyOf(
                    ("since", parsed.GetValue(since)),
                    ("until", parsed.GetValue(until)),
                    ("username", parsed.GetValue(user)),
                    ("dryRun", parsed.GetValue(dryRun) ? "true" : null),
                    ("run", parsed.GetValue(run))),
            },
            Show);
    }

    private static int Show(JsonElement answer)
    {
        var rows = answer.GetProperty("lines").EnumerateArray().Select(line => new[]
        {
            line.Text("username"),
            line.Text("model"),
            line.Text("requests"),
            line.Text("estimated"),
            line.Text("corrected"),
            line.Dollars("chargedDollars"),
            line.Dollars("wouldBeDollars"),
            line.Dollars("differenceDollars"),
        });
        Terminal.Table(
            ["User", "Model", " Requests", " Estimated", " To correct", " Charged USD", " Would be USD", " Difference USD"],
            [.. rows, ["all", "", "", "", answer.Text("corrected"), answer.Dollars("chargedDollars"), answer.Dollars("wouldBeDollars"), answer.Dollars("differenceDollars")]]);
        ShowSkipped(answer.GetProperty("skipped"));
        foreach (var name in answer.GetProperty("belowZero").EnumerateArray())
        {
            Console.Error.WriteLine(Terminal.Clean($"{name.GetString()} is below zero: new calls are refused until a top-up."));
        }

        Console.Error.WriteLine(Terminal.Clean(answer.Text("dryRun") == "yes"
            ? "This was a dry run: nothing was posted."
            : $"Run {answer.Text("run")}: adjustments posted: {answer.Text("corrected")}."));
        return ExitCodes.Ok;
    }

    private static void ShowSkipped(JsonElement skipped)
    {
        foreach (var (name, reason) in new[]
        {
            ("refunded", "refunded"),
            ("notCharged", "of users who are not charged"),
            ("withoutUsage", "recorded by an older ccp, which kept too little"),
            ("withoutPrice", "of models that have no price now"),
            ("otherTerms", "corrected by this run before, to another amount; a new run corrects them"),
        })
        {
            if (skipped.Text(name) is not "0" and var count)
            {
                Console.Error.WriteLine($"Left alone, {reason}: {count}.");
            }
        }
    }
}
