using System.CommandLine;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Store;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ccp.Cli;

/// <summary><c>ccp serve</c>: runs the proxy.</summary>
internal static class ServeCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var config = new Option<string?>("--config") { Description = "The configuration file. Without one: $CCP_CONFIG, then config.toml in the data directory, then the built-in default.", HelpName = "FILE" };
        var listen = new Option<string?>("--listen") { Description = "Listen here instead of where the configuration says, for example 127.0.0.1:8082.", HelpName = "ADDR" };
        var command = new Command("serve", "Run the proxy.\n\nExample: ccp serve --config /etc/ccp/config.toml") { config, listen };
        command.SetAction((parsed, _) =>
        {
            var chosen = parsed.GetValue(listen);
            return RunAsync(
                parsed.GetValue(config),
                name => name == ServerSection.ListenVariable && chosen is not null ? chosen : environment(name),
                problem => Words(problem, chosen));
        });
        return command;
    }

    /// <param name="listen">From --listen, which travels as the variable.</param>
    public static string Words(ConfigProblem problem, string? listen) =>
        listen is not null && problem is { File: null, Setting: ServerSection.ListenVariable } ? (problem with { Setting = "--listen" }).ToString() : problem.ToString();

    /// <param name="words">A problem of the configuration, by the names that the operator used.</param>
    private static async Task<int> RunAsync(string? configFile, Func<string, string?> environment, Func<ConfigProblem, string> words)
    {
        // Completions run where the bytes arrive: a third of the CPU per event at light load. Must stand before the first socket is made.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        OwnProcess.MakeFilesPrivate();

        var data = DataDirectory.From(environment);
        var source = ConfigSource.Load(configFile, data, environment);
        foreach (var problem in source.Result.Problems.Concat(source.Result.Warnings))
        {
            Console.Error.WriteLine(words(problem));
        }

        if (source.Result.Config is not { } config)
        {
            return ExitCodes.Failed;
        }

        await using var logging = ProcessLog.Create(config.Logs);
        var log = logging.GetRequiredService<ILoggerFactory>().CreateLogger("ccp");
        try
        {
            await using var server = await RunningServer.StartAsync(source, data, environment, TimeProvider.System, log);
            if (server.FirstAdminToken is { } token)
            {
                // The one secret ever printed.
                Console.Error.WriteLine($"Made the first admin. Its token, shown this once: {token}");
            }

            Console.WriteLine($"listening on {string.Join(", ", server.Addresses)}");
            using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                // The conventional word for: read your configuration again.
                signal.Cancel = true;
                server.Reload("SIGHUP");
            });
            await RunningServer.UntilToldToStopAsync();
            await server.DrainAsync();
            return ExitCodes.Ok;
        }
        catch (Exception error) when (error is StoreUnavailableException or InvalidOperationException or IOException or UnauthorizedAccessException or CryptographicException or SocketException)
        {
            Console.Error.WriteLine($"ccp cannot start: {Faults.Describe(error)}");
            return ExitCodes.Failed;
        }
    }
}
