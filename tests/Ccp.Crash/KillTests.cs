using Ccp.Crash.Kills;
using Ccp.Crash.Servers;

namespace Ccp.Crash;

/// <summary>
/// Goal: kill -9 at any moment leaves nothing served unbilled, nothing billed twice, no hold open and every hash intact.
/// Method: a share of <c>make crash</c>, with a fixed seed. The upstream stops at a chosen step, ccp is killed there and started again on the same data directory, and the
/// books are compared with what the upstream sent and the clients have (<see cref="Audit.CallRules"/>).
/// </summary>
public sealed class KillTests
{
    internal const int Seed = 20_261_101;

    private const int KillsPerShare = 2;

    public static TheoryData<string> Points => [.. KillPoints.All.Select(point => point.Name)];

    [Theory]
    [MemberData(nameof(Points))]
    public async Task Every_call_is_charged_as_far_as_it_got_when_killed(string point)
    {
        var killed = KillPoints.Named(point);
        var options = new KillOptions(Executables.Ccp, Seed, killed.Share * KillsPerShare, Parallel: 2) { Points = [killed] };

        var report = await KillRun.RunAsync(options);

        Assert.Empty(report.Violations);
        Assert.Equal(options.Kills, report.Kills);
    }

    [Fact]
    public void A_seed_gives_the_same_schedule_again_and_every_point_its_share()
    {
        var options = new KillOptions("", Seed, 1000, Parallel: 1);
        var orders = KillRun.Orders(options);

        Assert.Equal(orders, KillRun.Orders(options));
        Assert.NotEqual(orders, KillRun.Orders(options with { Seed = Seed + 1 }));
        Assert.Equal(1000, orders.Count);
        var shares = KillPoints.All.Sum(point => point.Share);
        Assert.All(KillPoints.All, point => Assert.InRange(orders.Count(order => order.Point == point), 1000 / shares * point.Share, 1000));
    }
}
