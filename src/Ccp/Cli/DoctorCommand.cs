using System.CommandLine;
using System.Text.Json;
using Ccp.Admin;
using Ccp.Configuration;

namespace Ccp.Cli;

/// <summary><c>ccp doctor</c>: everything that can be wrong, and what to do about it.</summary>
internal static class DoctorCommand
{
    private const string Topic = "configuration";

    private static readonly AdminCall Question = new("GET", "/admin/doctor");
    private static readonly FindingView NoServer = new("server", FindingView.Warning, "none answers here; looked at as this shell's environment has it. Start one with ccp serve.");

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
        if (await AdminConnections.FindServerAsync(server, environment) is not { } running)
        {
            return ApiCommand.Report(await WithoutServerAsync(configFile, environment), asJson, Show);
        }

        await using (running)
        {
            return ApiCommand.Report(await running.SendAsync(Question), asJson, Show);
        }
    }

    /// <summary>What can be found from here while no server runs.</summary>
    internal static async Task<AdminAnswer> WithoutServerAsync(string? configFile, Func<string, string?> environment)
    {
        var file = ConfigSource.Load(configFile, DataDirectory.From(environment), environment).Result;
        if (file.Config is null)
        {
            return Answer(isOk: false, file.Problems.Select(problem => new FindingView(Topic, FindingView.Problem, problem.ToString())));
        }

        AdminConnection connection;
        try
        {
            connection = await AdminConnections.OpenAsync(null, configFile, environment);
        }
        catch (Exception error) when (error is CommandFailedException or UnauthorizedAccessException)
        {
            return Answer(isOk: false, [new FindingView("store", FindingView.Problem, error.Message)]);
        }

        await using (connection)
        {
            return WithoutServer(await connection.SendAsync(Question), file.Warnings);
        }
    }

    /// <summary>Who opens a store reads no file, and finds nothing in it to warn of.</summary>
    internal static AdminAnswer WithoutServer(AdminAnswer answer, IReadOnlyList<ConfigProblem> warnings)
    {
        if (answer.Status != 200)
        {
            return answer;
        }

        var view = JsonSerializer.Deserialize(answer.Body, AdminJson.Default.DoctorView)!;
        return Answer(view.Ok,
        [
            .. warnings.Select(warning => new FindingView(Topic, FindingView.Warning, warning.ToString())),
            .. view.Findings.Where(finding => warnings.Count == 0 || finding is not { Topic: Topic, Level: FindingView.Ok }),
        ]);
    }

    private static AdminAnswer Answer(bool isOk, IEnumerable<FindingView> findings) =>
        new(200, JsonSerializer.SerializeToUtf8Bytes(new DoctorView(isOk, [NoServer, .. findings]), AdminJson.Default.DoctorView));

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
