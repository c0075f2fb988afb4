using System.CommandLine;
using System.Text.Json;
using Ccp.Admin;

namespace Ccp.Cli;

/// <summary><c>ccp verify</c>: an audit of the usage log.</summary>
internal static class VerifyCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var file = new Argument<string?>("file") { Description = "A usage log. Default: the one of the server, with all its rotated files.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var licensed = new Option<bool>("--licensed") { Description = "A license was there all along. Without it the decisions in the log tell when there was one." };
        var server = new Option<string?>("--server") { Description = "The server to talk to instead of this host's; needs CCP_ADMIN_TOKEN. Default: $CCP_SERVER.", HelpName = "URL" };
        var config = new Option<string?>("--config") { Description = "The configuration file, for when no server runs. Default: as for serve.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print the answer as JSON." };
        var command = new Command(
            "verify",
            "Audit the usage log: no haiku on the anthropic lane while a license allows another, no header_mode on the anthropic lane, every decision with its end. Names the lines, and fails when there are any.\n\nExample: ccp verify ~/.local/state/ccp/logs/usage.jsonl")
        {
            file, licensed, server, config, json,
        };
        command.SetAction(parsed => ApiCommand.RunAsync(async () =>
        {
            var isLicensed = parsed.GetValue(licensed);
            if (parsed.GetValue(file) is { } path)
            {
                return ApiCommand.Report(OfFile(path, isLicensed), parsed.GetValue(json), Show);
            }

            await using var connection = await AdminConnections.OpenAsync(parsed.GetValue(server), parsed.GetValue(config), environment);
            var call = new AdminCall("GET", "/admin/verify") { Query = AdminCall.QueryOf(("licensed", isLicensed ? "1" : null)) };
            return ApiCommand.Report(await connection.SendAsync(call), parsed.GetValue(json), Show);
        }));
        return command;
    }

    private static AdminAnswer OfFile(string path, bool isLicensed) => File.Exists(path)
        ? new AdminAnswer(200, JsonSerializer.SerializeToUtf8Bytes(UsageVerdictView.Of([path], isLicensed ? true : null), AdminJson.Default.UsageVerdictView))
        : throw new CommandFailedException($"There is no file {path}.");

    private static int Show(JsonElement answer)
    {
        foreach (var finding in answer.GetProperty("findings").EnumerateArray())
        {
            Terminal.Line($"{finding.Text("file")}:{finding.Text("line")}: {finding.Text("message")}");
        }

        Terminal.Line($"lines        {answer.Text("lines")}");
        Terminal.Line($"decisions    {answer.Text("decisions")}");
        Terminal.Line($"completions  {answer.Text("completions")}");
        Terminal.Line($"open         {answer.Text("open")}");
        Terminal.Line($"findings     {answer.Text("findingsInAll")}");
        return answer.GetProperty("ok").GetBoolean() ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
