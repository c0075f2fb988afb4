using System.CommandLine;
using System.Text.Json;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Ledger;

namespace Ccp.Cli;

/// <summary><c>ccp db</c>: the store as a file.</summary>
internal static class DbCommands
{
    public static Command Build(Func<string, string?> environment) => new("db", "Back up, check or restore the store.\n\nExample: ccp db backup /backup/ccp-monday.db")
    {
        Backup(environment),
        Check(environment),
        Restore(environment),
    };

    private static Command Backup(Func<string, string?> environment)
    {
        var file = new Argument<string>("file") { Description = "A new file on this host. It is written by the user that ccp runs as.", HelpName = "FILE" };
        var command = new Command(
            "backup",
            "Copy the store into a new file, also while ccp serves, and prove the copy. The master key is not in it: keep that apart.\n\nExample: ccp db backup /backup/ccp-monday.db") { file };
        return command.Asks(
            environment,
            parsed => new AdminCall("POST", "/admin/db/backup") { Body = AdminCall.BodyOf(("path", Path.GetFullPath(parsed.GetRequiredValue(file)))) },
            ShowBackup);
    }

    private static Command Check(Func<string, string?> environment) =>
        new Command("check", "Read every page of the store and recompute its ledger. Takes seconds for each gigabyte.\n\nExample: ccp db check")
            .Asks(environment, _ => new AdminCall("GET", "/admin/db/check"), ShowCheck);

    private static Command Restore(Func<string, string?> environment)
    {
        var file = new Argument<string>("file") { Description = "The backup.", HelpName = "FILE" };
        var config = new Option<string?>("--config") { Description = "The configuration file, for where the store is. Default: as for serve.", HelpName = "FILE" };
        var checkOnly = new Option<bool>("--check") { Description = "Only say whether the backup could be restored here; change nothing." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        var command = new Command(
            "restore",
            "Put a backup in the place of the store, after proving it. ccp must not run. The store that stands is kept under another name.\n\nExample: ccp db restore /backup/ccp-monday.db") { file, config, checkOnly, yes };
        command.SetAction(parsed => ApiCommand.RunAsync(() => Task.FromResult(
            RestoreFrom(Path.GetFullPath(parsed.GetRequiredValue(file)), parsed.GetValue(config), parsed.GetValue(checkOnly), parsed.GetValue(yes), environment))));
        return command;
    }

    private static int RestoreFrom(string backup, string? configFile, bool checkOnly, bool yes, Func<string, string?> environment)
    {
        DataDirectory.RefuseUnseen(backup);
        if (!File.Exists(backup))
        {
            throw new CommandFailedException($"There is no file {backup}.");
        }

        var data = DataDirectory.From(environment);
        var source = ConfigSource.Load(configFile, data, environment);
        if (source.Result.Config is not { } config)
        {
            throw new CommandFailedException(string.Join('\n', source.Result.Problems));
        }

        var store = data.Resolve(config.Storage.Path);
        var master = MasterKey.Load(environment("CCP_MASTER_KEY"), data.MasterKeyPath, mayMake: false);
        if (checkOnly)
        {
            var proof = StoreRestore.Check(backup, master);
            ShowProof(proof);
            Terminal.Line($"{backup} could be restored here.");
            return ExitCodes.Ok;
        }

        StoreRestore.RefuseServed(store);
        if (File.Exists(store) && !yes && !IsSure(backup, store))
        {
            return ExitCodes.Failed;
        }

        var result = StoreRestore.Run(backup, store, master, TimeProvider.System);
        ShowProof(result.Proof);
        Terminal.Line($"{store} is now what {backup} holds.");
        if (result.KeptAs is { } keptAs)
        {
            Terminal.Line($"What stood there is kept as {keptAs}.");
        }

        if (result.Missing is > 0 and var missing)
        {
            Terminal.Line($"It has {missing} entries that come after the backup and are not in the store now: docs/recovery.md says how to post them.");
        }

        return ExitCodes.Ok;
    }

    private static bool IsSure(string backup, string store)
    {
        if (Console.IsInputRedirected)
        {
            throw new WrongUsageException("Nobody can be asked here: say --yes to restore.");
        }

        Console.Error.Write(Terminal.Clean($"Put {backup} in the place of {store}? That one is kept under another name. [y/N] "));
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    private static int ShowBackup(JsonElement answer)
    {
        Terminal.Line($"file      {answer.Text("path")} ({answer.Text("bytes")} bytes)");
        ShowHead(answer);
        Terminal.Line("The copy is whole, and every balance and every hash in it is right.");
        Console.Error.WriteLine(Terminal.Clean(answer.Text("masterKeyPath") is { Length: > 0 } path
            ? $"It is of no use without the master key, which is not in it: keep a copy of {path} in another place."
            : "It is of no use without the master key, which is not in it: keep the value of CCP_MASTER_KEY in another place."));
        return ExitCodes.Ok;
    }

    private static int ShowCheck(JsonElement answer)
    {
        ShowHead(answer);
        return ShowVerdict(answer.Text("problem"));
    }

    private static int ShowProof(StoreProof proof)
    {
        Terminal.Line($"entries   {proof.Audit.Entries}");
        Terminal.Line($"accounts  {proof.Audit.Accounts}");
        Terminal.Line($"open      {proof.OpenHolds} calls in progress");
        Terminal.Line($"head id   {proof.Audit.HeadId}");
        Terminal.Line($"head hash {Convert.ToHexStringLower(proof.Audit.HeadHash)}");
        return ShowVerdict(proof.Problem ?? "");
    }

    private static void ShowHead(JsonElement answer)
    {
        Terminal.Line($"entries   {answer.Text("entries")}");
        Terminal.Line($"accounts  {answer.Text("accounts")}");
        Terminal.Line($"open      {answer.Text("openHolds")} calls in progress");
        Terminal.Line($"head id   {answer.Text("headId")}");
        Terminal.Line($"head hash {answer.Text("headHash")}");
    }

    private static int ShowVerdict(string problem)
    {
        if (problem.Length == 0)
        {
            Terminal.Line("Nothing is damaged, and every balance and every hash is right.");
            return ExitCodes.Ok;
        }

        Console.Error.WriteLine(Terminal.Clean(problem));
        return ExitCodes.Failed;
    }
}
