using Ccp.Telemetry;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Telemetry;

public sealed class MetricsTests
{
    [Fact]
    public async Task Nothing_is_lost_when_many_threads_count_what_is_new_to_all_of_them()
    {
        const int Threads = 8;
        const int Times = 100_000;
        string[] lanes = [.. Enumerable.Range(0, 50).Select(lane => $"lane-{lane}")];
        var metrics = new Metrics(DateTimeOffset.UnixEpoch);
        using var together = new Barrier(Threads);
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                together.SignalAndWait();
                for (var time = 0; time < Times; time++)
                {
                    metrics.CountCall(lanes[time % lanes.Length], "ok");
                    metrics.CountMoney("zai", 3, 1);
                }
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        var text = Read(metrics);
        Assert.Equal(50, text.Family("ccp_calls_total").Count);
        Assert.All(text.Family("ccp_calls_total").Values, calls => Assert.Equal(Threads * Times / 50, calls));
        Assert.Equal(0.002_400_000m, text["ccp_charged_usd_total{lane=\"zai\"}"]);
        Assert.Equal(0.000_800_000m, text["ccp_upstream_cost_usd_total{lane=\"zai\"}"]);
    }

    [Fact]
    public void What_was_counted_before_is_counted_again_without_allocating()
    {
        var metrics = new Metrics(DateTimeOffset.UnixEpoch);
        void Count()
        {
            using var inFlight = metrics.CallBegins();
            metrics.CountCall("anthropic", "streaming");
            metrics.CountTokens("anthropic", "input", 5);
            metrics.CountMoney("anthropic", 3, 1);
            metrics.CountFallback("anthropic", "fallback");
            metrics.CountRefusal("token_unknown");
            metrics.NoteFirstByte("anthropic", TimeSpan.FromSeconds(3));
        }

        Count();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var time = 0; time < 1_000; time++)
        {
            Count();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1_001, Read(metrics)["ccp_calls_total{lane=\"anthropic\",outcome=\"streaming\"}"]);
        Assert.Equal(0, Read(metrics)["ccp_calls_in_flight"]);
    }

    [Fact]
    public void A_call_is_in_flight_until_it_is_over()
    {
        var metrics = new Metrics(DateTimeOffset.UnixEpoch);
        using (metrics.CallBegins())
        {
            Assert.Equal(1, Read(metrics)["ccp_calls_in_flight"]);
        }

        Assert.Equal(0, Read(metrics)["ccp_calls_in_flight"]);
    }

    private static MetricsText Read(Metrics metrics)
    {
        var text = new PrometheusText();
        metrics.Write(text);
        return new MetricsText(text.ToString());
    }
}
