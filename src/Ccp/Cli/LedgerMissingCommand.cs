using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ccp.Configuration;
using Ccp.Usage;

namespace Ccp.Cli;

/// <summary><c>ccp ledger missing</c>: charges of the usage log that the ledger does not have, as after a restore, and the posting of them.</summary>
internal static class LedgerMissingCommand
{
    private const string PageSize = "1000";

    /// <summary>A call is in the log a moment before its charge is in the ledger: what has just ended is not missing.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMinutes(5);

    public static Command Build(Func<string, string?> environment)
    {
        var files = new Argument<string[]>("files") { Description = "Usage logs. Default: the one of this host, with its rotated files.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrMore };
        var post = new Option<bool>("--post") { Description = "Post each as an adjustment whose reference is the call's id: posted again, it changes nothing." };
        var server = new Option<string?>("--server") { Description = "The server to talk to instead of this host's; needs CCP_ADMIN_TOKEN. Default: $CCP_SERVER.", HelpName = "URL" };
        var config = new Option<string?>("--config") { Description = "The configuration file, for where the log is, and for when no server runs. Default: as for serve.", HelpName = "FILE" };
        var command = new Command(
            "missing",
            "Show the charges that the usage log has and the ledger has not, as after a restore. With --post they are posted.\n\nExample: ccp ledger missing /saved/usage*.jsonl") { files, post, server, config };
        command.SetAction(parsed => ApiCommand.RunAsync(async () =>
        {
            var logs = parsed.GetValue(files) is { Length: > 0 } stated ? stated : OwnLogs(parsed.GetValue(config), environment);
            await using var connection = await AdminConnections.OpenAsync(parsed.GetValue(server), parsed.GetValue(config), environment);
            return await RunAsync(connection, logs, parsed.GetValue(post), TimeProvider.System);
        }));
        return command;
    }

    public static async Task<int> RunAsync(AdminConnection connection, IReadOnlyList<string> logs, bool posts, TimeProvider time)
    {
        var charges = LoggedCharges.Read(logs, place => Console.Error.WriteLine(Terminal.Clean($"{place} cannot be read as a line of a usage log, and was left out: look whether it holds a charge.")));
        var fresh = charges.Values.Where(charge => charge.EndedAt > time.GetUtcNow() - Settling).ToList();
        fresh.ForEach(charge => charges.Remove(charge.Id));
        if (fresh.Count > 0)
        {
            Console.Error.WriteLine($"{fresh.Count} charges of the last {Settling.TotalMinutes} minutes were left out: they may be on their way to the ledger. Run this again later to see them.");
        }

        // Asked after the log was read: what stands in it is then either in the ledger or missing.
        await RefuseWhileChargesWaitAsync(connection);
        await RemovePostedAsync(connection, charges);
        if (charges.Count == 0)
        {
            Terminal.Line("Every charge of the log is in the ledger.");
            return ExitCodes.Ok;
        }

        if (!posts)
        {
            Terminal.Table(["Id", "User", "Model", " Charged USD"], [.. charges.Values.Select(charge => new[] { charge.Id, charge.User, charge.Model, charge.Amount.ToString() })]);
            Console.Error.WriteLine($"{charges.Count} charges are not in the ledger. With --post each is taken from its user's balance.");
            return ExitCodes.Ok;
        }

        return await PostAsync(connection, charges);
    }

    private static async Task RefuseWhileChargesWaitAsync(AdminConnection connection)
    {
        if (connection is StoreConnection)
        {
            return;
        }

        var answer = await connection.SendAsync(new AdminCall("GET", "/readyz"));
        using var ready = JsonDocument.Parse(answer.Body);
        if (ready.RootElement.TryGetProperty("unwritten", out _) || (answer.Status == 503 && ready.RootElement.TryGetProperty("store", out _)))
        {
            throw new CommandFailedException($"ccp has charges that its store does not take now, and they would be taken twice. Wait until it does, and run this again: {ready.RootElement.Text("store")}");
        }
    }

    /// <summary>Goes through the whole ledger: a charge that was overlooked would be taken twice.</summary>
    private static async Task RemovePostedAsync(AdminConnection connection, Dictionary<string, LoggedCharge> charges)
    {
        string? before = null;
        while (charges.Count > 0)
        {
            var answer = await connection.SendAsync(new AdminCall("GET", "/admin/ledger") { Query = AdminCall.QueryOf(("limit", PageSize), ("before", before)) });
            var oldest = before;
            ApiCommand.Report(answer, asJson: false, entries =>
            {
                foreach (var entry in entries.EnumerateArray().Where(entry => entry.Text("kind") is "charge" or "adjustment"))
                {
                    charges.Remove(entry.Text("reference"));
                }

                oldest = entries.GetArrayLength() == 0 ? null : entries[entries.GetArrayLength() - 1].GetProperty("id").GetInt64().ToString(CultureInfo.InvariantCulture);
                return ExitCodes.Ok;
            });
            if (oldest is null)
            {
                return;
            }

            before = oldest;
        }
    }

    /// <summary>Each in turn. A no, as for a user who is not there any more, keeps none of the others from being posted; what goes wrong otherwise ends it.</summary>
    private static async Task<int> PostAsync(AdminConnection connection, Dictionary<string, LoggedCharge> charges)
    {
        var refused = 0;
        foreach (var charge in charges.Values)
        {
            var call = new AdminCall("POST", AdminCall.PathOf("/admin/balance", charge.User))
            {
                Body = AdminCall.BodyOf(("amount", $"-{charge.Amount}"), ("reference", charge.Id), ("note", $"charge lost with the store: {Line(charge.Model)}"), ("adjustment", "true")),
            };
            try
            {
                ApiCommand.Report(await connection.SendAsync(call), asJson: false, _ => ExitCodes.Ok);
                Terminal.Line($"{charge.Id}  {charge.User}  -{charge.Amount}");
            }
            catch (CommandFailedException error)
            {
                refused++;
                Console.Error.WriteLine(Terminal.Clean($"{charge.Id} of {charge.User}, {charge.Amount} USD, was not posted: {error.Message}"));
            }
        }

        Console.Error.WriteLine($"{charges.Count - refused} of {charges.Count} charges were posted.{(refused == 0 ? "" : " Run this again when what stands above is put right: what is posted is not posted twice.")}");
        return refused == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static string Line(string model) => string.Concat(model.Take(200).Where(c => !char.IsControl(c)));

    private static IReadOnlyList<string> OwnLogs(string? configFile, Func<string, string?> environment)
    {
        var data = DataDirectory.From(environment);
        var source = ConfigSource.Load(configFile, data, environment);
        var config = source.Result.Config ?? throw new CommandFailedException(string.Join('\n', source.Result.Problems));
        var directory = data.Resolve(config.Logs.Directory);
        return UsageLogFiles.In(directory) is { Count: > 0 } files ? files : throw new CommandFailedException($"There is no usage log in {directory}. Name the files that were kept of it.");
    }
}
