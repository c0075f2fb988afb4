using System.Diagnostics;
using Ccp.WireTests.Hosting;

namespace Ccp.EndToEnd.Hosting;

/// <summary>One command of the executable, as an operator types it on the host of a running ccp: the native one when there is one, else the one beside these tests.</summary>
internal static class CcpCommand
{
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(60);

    /// <returns>What it printed.</returns>
    public static async Task<string> RunAsync(CcpUnderTest ccp, params string[] arguments)
    {
        var start = new ProcessStartInfo(CcpUnderTest.NativePath ?? Path.Combine(AppContext.BaseDirectory, "ccp"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("CC", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["CCP_HOME"] = ccp.Home;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(EndsWithin);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        finally
        {
            process.Kill();
        }

        Assert.True(process.ExitCode == 0, $"ccp {arguments[0]} ended with {process.ExitCode}: {await output}{await errors}");
        return await output;
    }
}
