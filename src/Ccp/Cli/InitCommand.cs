using System.CommandLine;
using Ccp.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ccp.Cli;

/// <summary><c>ccp init</c>: a configuration to edit, a store, and the first admin.</summary>
internal static class InitCommand
{
    private const string ExampleResource = "config.example.toml";

    public static Command Build(Func<string, string?> environment)
    {
        var directory = new Option<string?>("--dir") { Description = "The data directory. Default: $CCP_HOME, else ~/.local/state/ccp.", HelpName = "DIR" };
        var command = new Command("init", "Write a commented config.toml, create the store and the first admin, and print the admin's token, this once.\n\nExample: ccp init --dir /var/lib/ccp") { directory };
        command.SetAction(parsed => ApiCommand.RunAsync(() =>
            InitAsync(parsed.GetValue(directory) is { } path ? DataDirectory.At(path) : DataDirectory.From(environment), environment)));
        return command;
    }

    private static async Task<int> InitAsync(DataDirectory data, Func<string, string?> environment)
    {
        data.Create();
        var file = data.Resolve("config.toml");
        if (File.Exists(file))
        {
            throw new CommandFailedException($"{file} is there already, and is not overwritten. Nothing was changed.");
        }

        await WriteExampleAsync(file);
        string? token;
        try
        {
            token = await MakeStoreAsync(file, data, environment);
        }
        catch
        {
            // A second try must not stumble over the first.
            File.Delete(file);
            throw;
        }

        Console.Error.WriteLine(Terminal.Clean($"Wrote {file}."));
        Console.Error.WriteLine(token is null
            ? "The store has an admin already; its token stays as it is."
            : "Made the user admin. Its token, shown this once:");
        if (token is not null)
        {
            Console.WriteLine(token);
        }

        if (data.Path != DataDirectory.From(environment).Path)
        {
            Console.Error.WriteLine(Terminal.Clean($"Set CCP_HOME={data.Path} for ccp serve and every other command."));
        }

        return ExitCodes.Ok;
    }

    private static async Task<string?> MakeStoreAsync(string file, DataDirectory data, Func<string, string?> environment)
    {
        var source = ConfigSource.Load(file, data, environment);
        if (source.Result.Config is not { } config)
        {
            throw new CommandFailedException(string.Join('\n', source.Result.Problems));
        }

        await using var logging = ProcessLog.Create(config.Logs with { Level = LogLevel.Warning });
        await using var till = Till.Open(config, data, environment("CCP_MASTER_KEY"), TimeProvider.System, logging.GetRequiredService<ILoggerFactory>().CreateLogger("ccp"));
        return await FirstAdmin.MakeAsync(till);
    }

    private static async Task WriteExampleAsync(string path)
    {
        await using var example = typeof(InitCommand).Assembly.GetManifestResourceStream(ExampleResource)!;
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        await example.CopyToAsync(file);
    }
}
