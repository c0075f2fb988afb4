using System.Diagnostics;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

/// <summary>What ccp does by itself, day after day.</summary>
public sealed class HousekeepingTests
{
    /// <summary>Whoever keeps the log elsewhere can tell from it that the ledger's tail was cut off.</summary>
    [Fact]
    public async Task Once_a_day_the_ledger_s_head_is_logged()
    {
        var clock = new ManualClock();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, balance: "0", change: setup => setup.Clock = clock);

        for (var day = 1; day <= 2; day++)
        {
            await ccp.TopUpAsync("alice", "50");
            var (_, ledger) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/ledger/verify");
            var head = $"Ledger head: entry {day}, hash {ledger.GetProperty("headHash").GetString()}";
            Assert.DoesNotContain(head, ccp.Log, StringComparison.Ordinal);

            clock.Advance(TimeSpan.FromDays(1));
            for (var patience = Stopwatch.StartNew(); !ccp.Log.Contains(head, StringComparison.Ordinal); await Task.Delay(1))
            {
                Assert.True(patience.Elapsed < TimeSpan.FromSeconds(30), $"Not logged: {head}");
            }
        }
    }
}
