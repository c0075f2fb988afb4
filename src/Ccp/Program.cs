using System.CommandLine;
using Ccp.Cli;
using Ccp.Configuration;

// Before anything secret is read, by any command.
if (!OwnProcess.KeepMemoryPrivate())
{
    Console.Error.WriteLine("ccp cannot start: this system does not let it keep its memory, which holds keys, out of core dumps. Allow ccp the system call prctl.");
    return ExitCodes.Failed;
}

SQLitePCL.Batteries_V2.Init();

Func<string, string?> environment = Environment.GetEnvironmentVariable;
Terminal.HasBorders = !Console.IsOutputRedirected && string.IsNullOrEmpty(environment("NO_COLOR"));
var root = new RootCommand("ccp, the Claude Code proxy: one team, one egress, one bill.")
{
    ServeCommand.Build(environment),
    InitCommand.Build(environment),
    CheckCommand.Build(environment),
    UserCommands.Build(environment),
    BalanceCommand.Build(environment),
    UsageCommand.Build(environment),
    SavingsCommand.Build(environment),
    RequestsCommand.Build(environment),
    StatusCommand.Build(environment),
    ReceiptCommand.Build(environment),
    RefundCommand.Build(environment),
    LedgerCommands.Build(environment),
    PricingCommands.Build(environment),
    DbCommands.Build(environment),
    LicenseCommands.Build(environment),
    LaneCommands.Lanes(environment),
    LaneCommands.Pause(environment),
    LaneCommands.Resume(environment),
    LaneCommands.Reload(environment),
    DoctorCommand.Build(environment),
    VerifyCommand.Build(environment),
    EnvCommand.Build(environment),
    TokenCommands.Build(),
    VersionCommand.Build(),
};
return await CommandLine.RunAsync(root, args);
