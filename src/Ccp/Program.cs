using System.CommandLine;
using Ccp.Cli;

SQLitePCL.Batteries_V2.Init();

var root = new RootCommand("ccp, the Claude Code proxy: one team, one egress, one bill.")
{
    ServeCommand.Build(Environment.GetEnvironmentVariable),
};
return await root.Parse(args).InvokeAsync();
