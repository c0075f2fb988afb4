using System.CommandLine;

namespace Ccp.Cli;

/// <summary>Runs what was typed. Exit codes: 0 done, 1 failed, 2 wrong usage.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        var isWrong = parsed.Errors.Count > 0;
        foreach (var listed in parsed.CommandResult.Command.Subcommands)
        {
            ShortenForList(listed);
        }

        var exit = await parsed.InvokeAsync(new InvocationConfiguration
        {
            // Help that nobody asked for is no data.
            Output = isWrong ? Console.Error : Console.Out,

            // Signals are the command's own: serve finishes open calls first, which takes longer than the library would wait.
            ProcessTerminationTimeout = null,
        });
        return isWrong ? ExitCodes.WrongUsage : exit;
    }

    /// <summary>In a list one sentence each, and the arguments that must be there: the library writes all of them as if they had to. The rest stands in a command's own help.</summary>
    public static void ShortenForList(Command listed)
    {
        listed.Description = listed.Description?.Split('\n')[0];
        foreach (var argument in listed.Arguments.Where(argument => argument.Arity.MinimumNumberOfValues == 0))
        {
            argument.Hidden = true;
        }
    }
}
