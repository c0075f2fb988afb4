using System.Text;
using Ccp.Crash.Kills;
using Ccp.Crash.Servers;

namespace Ccp.Crash;

/// <summary>
/// Goal: the crash tests notice a broken ledger.
/// Method: the same kills against a ccp of which the ledger is broken on purpose (<c>tests/Ccp.Canary</c>) must find violations, and against the same build with nothing
/// broken they must find none.
/// </summary>
public sealed class CanaryTests
{
    private const string Variable = "CCP_BREAKAGE";

    [Theory]
    [InlineData("unheld", "64 holds at once", "was served and not charged")]
    [InlineData("torn", "64 settlements at once", "was served and not charged")]
    [InlineData("twofold", "64 settlements at once", "charged twice")]
    public async Task A_broken_ledger_is_found_out(string breakage, string point, string finding)
    {
        // As a rule the first kill or the second finds it; the rest is for a machine that is busy with something else.
        var report = await UntilFoundAsync(OptionsFor(point).Broken(breakage), tries: 24);

        Assert.Contains(report.Violations, violation => violation.Contains(finding, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_build_with_nothing_broken_passes()
    {
        var report = await KillRun.RunAsync(OptionsFor("64 settlements at once").Broken("nothing"));

        Assert.Empty(report.Violations);
        Assert.NotEqual(0, report.Kills);
    }

    [Fact]
    public void The_executable_under_test_has_no_switch_to_break_it()
    {
        Assert.True(Mentions(Path.ChangeExtension(Executables.Canary, ".dll")), "the search must find it where it is");
        Assert.False(Mentions(Executables.Ccp), $"{Executables.Ccp} knows {Variable}");
    }

    private static KillOptions OptionsFor(string point) => new("", KillTests.Seed, Kills: 3, Parallel: 1) { Points = [KillPoints.Named(point)] };

    private static async Task<KillReport> UntilFoundAsync(KillOptions options, int tries)
    {
        KillReport report;
        do
        {
            report = await KillRun.RunAsync(options with { Seed = options.Seed + tries });
        }
        while (report.Violations.Count == 0 && --tries > 0);

        report.DeleteKeptHouses();
        return report;
    }

    /// <summary>As text is kept in an assembly and in a native executable alike: two bytes a character.</summary>
    private static bool Mentions(string file) => File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.Unicode.GetBytes(Variable)) >= 0;
}
