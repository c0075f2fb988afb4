using System.CommandLine;
using Ccp.Telemetry;

namespace Ccp.Cli;

/// <summary><c>ccp version</c>.</summary>
internal static class VersionCommand
{
    public static Command Build()
    {
        var command = new Command("version", "Print ccp's version.\n\nExample: ccp version");
        command.SetAction(_ => Console.WriteLine(Product.Version));
        return command;
    }
}
