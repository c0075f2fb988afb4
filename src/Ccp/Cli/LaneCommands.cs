using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp lanes</c>, <c>pause</c>, <c>resume</c> and <c>reload</c>: where calls go, and the switch that keeps them on the default lane.</summary>
internal static class LaneCommands
{
    private const string PauseWords = "Send everything to the default lane, from the next call on, until ccp resume: also after a restart.";
    private const string TakenUp = "lanes, routes, quotas, keys and the pause";
    private const string ResumeWords = "End a ccp pause, from the next call on.";

    public static Command Lanes(Func<string, string?> environment) =>
        new Command("lanes", "Show the lanes: where they are, how they are authenticated, what they need, and whether calls go there.\n\nExample: ccp lanes --json")
        {
            Pause(environment, "ccp lanes pause"),
            Resume(environment, "ccp lanes resume"),
        }.Asks(environment, _ => new AdminCall("GET", "/admin/lanes"), Show);

    public static Command Pause(Func<string, string?> environment, string example = "ccp pause") =>
        new Command("pause", $"{PauseWords}\n\nExample: {example}").Asks(environment, _ => new AdminCall("POST", "/admin/lanes/pause"), Show);

    public static Command Resume(Func<string, string?> environment, string example = "ccp resume") =>
        new Command("resume", $"{ResumeWords}\n\nExample: {example}").Asks(environment, _ => new AdminCall("POST", "/admin/lanes/resume"), Show);

    public static Command Reload(Func<string, string?> environment) =>
        new Command("reload", $"Have the running server read its configuration again: {TakenUp} are taken up at once; the rest is listed.\n\nExample: ccp reload").Asks(
            environment,
            _ => new AdminCall("POST", "/admin/reload"),
            ShowReload,
            async (server, _) => await AdminConnections.FindServerAsync(server, environment)
                ?? throw new CommandFailedException("No ccp runs here: there is nothing to reload. The next start reads the configuration."));

    private static int Show(JsonElement lanes)
    {
        Terminal.Table(
            ["Lane", "Address", "Header", "Key", "Requires", "Paused", "State"],
            [
                .. lanes.GetProperty("lanes").EnumerateArray().Select(lane => new[]
                {
                    lane.Text("name"), lane.Text("address"), lane.Text("header"), lane.Text("hasKey"), lane.Text("requires"), lane.Text("paused"), lane.Text("state"),
                }),
            ]);
        if (lanes.GetProperty("paused").GetBoolean())
        {
            Console.Error.WriteLine(Terminal.Clean($"Paused by {lanes.Text("pausedBy")}: everything goes to the default lane."));
        }

        return ExitCodes.Ok;
    }

    private static int ShowReload(JsonElement answer)
    {
        foreach (var warning in answer.GetProperty("warnings").EnumerateArray())
        {
            Terminal.Line($"warning: {warning}");
        }

        var problems = answer.GetProperty("problems").EnumerateArray().Select(problem => problem.ToString()).ToList();
        foreach (var problem in problems)
        {
            Console.Error.WriteLine(Terminal.Clean(problem));
        }

        if (problems.Count > 0)
        {
            Console.Error.WriteLine("Nothing was changed.");
            return ExitCodes.Failed;
        }

        var later = answer.GetProperty("needRestart").EnumerateArray().Select(setting => setting.ToString()).ToList();
        Terminal.Line($"Taken up: {TakenUp}.");
        if (later.Count > 0)
        {
            Terminal.Line($"Changed, and taken up by a restart only: {string.Join(", ", later)}");
        }

        return ExitCodes.Ok;
    }
}
