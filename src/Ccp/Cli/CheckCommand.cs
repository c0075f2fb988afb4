using System.CommandLine;
using Ccp.Configuration;

namespace Ccp.Cli;

/// <summary><c>ccp check</c>: every problem of the configuration at once.</summary>
internal static class CheckCommand
{
    // What decides where things are, or what license there is, beside any configuration.
    private static readonly string[] Places = ["CCP_CONFIG", "CCP_HOME", "CCP_MASTER_KEY", "CC_LICENSE_PACK", "CC_LICENSE_JSON", "CC_LICENSE_SIG"];

    public static Command Build(Func<string, string?> environment)
    {
        var config = new Option<string?>("--config") { Description = "The configuration file. Default: as for serve.", HelpName = "FILE" };
        var command = new Command("check", "Check the configuration and show every problem, with its line and column.\n\nExample: ccp check --config /etc/ccp/config.toml") { config };
        command.SetAction(parsed => ApiCommand.RunAsync(() => Task.FromResult(Check(parsed.GetValue(config), environment))));
        return command;
    }

    private static int Check(string? configFile, Func<string, string?> environment)
    {
        var source = ConfigSource.Load(configFile, DataDirectory.From(environment), environment);
        foreach (var problem in source.Result.Problems)
        {
            Terminal.Line(problem.ToString());
        }

        foreach (var warning in source.Result.Warnings)
        {
            Terminal.Line($"warning: {warning}");
        }

        var inForce = Places.Where(name => !string.IsNullOrEmpty(environment(name)) && !(name == "CCP_CONFIG" && configFile is not null))
            .Concat(source.Result.EnvironmentInForce)
            .ToList();
        Terminal.Line($"environment in force: {(inForce.Count == 0 ? "none" : string.Join(", ", inForce))}");
        if (source.Result.Config is { Auth.IsLocal: true })
        {
            Terminal.Line($"auth.mode is local: {AuthConfig.LocalMeans}");
        }

        var count = source.Result.Problems.Count;
        Terminal.Line($"{source.Name}: {(count == 0 ? "no problems" : count == 1 ? "1 problem" : $"{count} problems")}");
        return count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
