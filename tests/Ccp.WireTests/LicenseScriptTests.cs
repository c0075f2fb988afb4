using System.Diagnostics;
using System.Text.Json;
using Ccp.Tests.Configuration;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

/// <summary><c>scripts/dev/license-activate.sh</c>, as a shell runs it with a dev build.</summary>
public sealed class LicenseScriptTests
{
    private const string Show =
        """
        "$CCP_BIN" license status --json
        """;

    [Fact]
    public async Task It_issues_a_license_that_the_shell_s_ccp_takes_and_takes_it_away_again()
    {
        Assert.SkipWhen(CcpUnderTest.DevPath is null, "CCP_DEV_UNDER_TEST names no dev build, and no other trusts a key from the environment.");
        var home = Directory.CreateTempSubdirectory("ccp-script-");
        try
        {
            // The key is trusted to the last: that there is no license then is not for want of it.
            var lines = await ShAsync(home.FullName, $"set -e; eval \"$(\"$SCRIPT\")\"; {Show}; key=$CCP_LICENSE_PUBKEY_B64; eval \"$(\"$SCRIPT\" --off)\"; echo \"${{CCP_LICENSE_PUBKEY_B64-unset}}\"; CCP_LICENSE_PUBKEY_B64=$key {Show}");

            Assert.Equal("unset", lines[1]);
            Assert.Equal(["trial", "community"], new[] { lines[0], lines[2] }.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("edition").GetString()));
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    private static async Task<string[]> ShAsync(string home, string text)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", text]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/bin";
        start.Environment["CCP_HOME"] = home;
        start.Environment["CCP_BIN"] = CcpUnderTest.DevPath;
        start.Environment["SCRIPT"] = Path.Combine(Repository.Root, "scripts", "dev", "license-activate.sh");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await errors);
        return output.TrimEnd().Split('\n');
    }
}
