using System.CommandLine;
using System.Text.Json;
using Ccp.Admin;
using Ccp.Configuration;

namespace Ccp.Cli;

/// <summary><c>ccp doctor</c>: everything that can be wrong, and what to do about it.</summary>
internal static class DoctorCommand
{
    private const string Topic = "configuration";

    public static Command Build(Func<string, string?> environment)
    {
        var server = new Option<string?>("--server") { Description = "The server to talk to instead of this host's; needs CCP_ADMIN_TOKEN. Default: $CCP_SERVER.", HelpName = "URL" };
        var config = new Option<string?>("--config") { Description = "The configuration file, for when no server runs. Default: as for serve.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print the answer as JSON." };
        var command = new Command(
            "doctor",
            "Look at configuration, keys, store, disk, clock, TLS, license, policy and the reach of each lane, and say what to do. Fails when there is a problem.\n\nExample: ccp doctor") { server, config, json };
        command.SetAction(parsed => ApiCommand.RunAsync(() => ExamineAsync(parsed.GetValue(server), parsed.GetValue(config), parsed.GetValue(json), environment)));
        return command;
    }

    private static async Task<int> ExamineAsync(string? server, string? configFile, bool asJson, Func<string, string?> environment)
    {
        var running = await AdminConnections.FindServerAsync(server, environment);
        var file = running is null ? ConfigSource.Load(configFile, DataDirectory.From(environment), environment).Result : null;
        if (file is { Config: null })
        {
            return ApiCommand.Report(Answer([.. file.Problems.Select(problem => new FindingView(Topic, FindingView.Problem, problem.ToString()))]), asJson, Show);
        }

        AdminConnection connection;
        try
        {
            connection = running is null ? await AdminConnections.OpenAsync(null, configFile, environment) : running;
        }
        catch (Exception error) when (error is CommandFailedException or UnauthorizedAccessException)
        {
            return ApiCommand.Report(Answer([new FindingView("store", FindingView.Problem, error.Message)]), asJson, Show);
        }

        await using (connection)
        {
            if (running is null && !asJson)
            {
                Print("server", FindingView.Warning, "none runs here; looked at as this shell's environment has it. Start one with ccp serve.");
            }

            var answer = await connection.SendAsync(new AdminCall("GET", "/admin/doctor"));
            return ApiCommand.Report(file is { Warnings.Count: > 0 } ? WithWarnings(answer, file.Warnings) : answer, asJson, Show);
        }
    }

    /// <summary>Who opens a store reads no file, and finds nothing in it to warn of.</summary>
    internal static AdminAnswer WithWarnings(AdminAnswer answer, IReadOnlyList<ConfigProblem> warnings)
    {
        if (answer.Status != 200)
        {
            return answer;
        }

        var view = JsonSerializer.Deserialize(answer.Body, AdminJson.Default.DoctorView)!;
        IReadOnlyList<FindingView> findings =
        [
            .. warnings.Select(warning => new FindingView(Topic, FindingView.Warning, warning.ToString())),
            .. view.Findings.Where(finding => finding is not { Topic: Topic, Level: FindingView.Ok }),
        ];
        return answer with { Body = JsonSerializer.SerializeToUtf8Bytes(view with { Findings = findings }, AdminJson.Default.DoctorView) };
    }

    private static AdminAnswer Answer(IReadOnlyList<FindingView> findings) =>
        new(200, JsonSerializer.SerializeToUtf8Bytes(new DoctorView(false, findings), AdminJson.Default.DoctorView));

    private static int Show(JsonElement answer)
    {
        foreach (var finding in answer.GetProperty("findings").EnumerateArray())
        {
            Print(finding.Text("topic"), finding.Text("level"), finding.Text("message"));
        }

        return answer.GetProperty("ok").GetBoolean() ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static void Print(string topic, string level, string message) => Terminal.Line($"{level,-8}  {topic,-14}  {message}");
}
