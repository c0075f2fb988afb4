using System.Globalization;
using Ccp.Bench.Client;
using Ccp.Bench.Machine;
using Ccp.Bench.Report;
using Ccp.Bench.Servers;

namespace Ccp.Bench.Scenarios;

/// <summary>Streams with an event every 10 ms each: what an event costs ccp, and how much later it arrives.</summary>
internal sealed class PacedStreams(Stage stage, Target direct, CcpServer ccp, int streams, Goal? delayP50 = null, Goal? delayP99 = null) : Scenario
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    private readonly Figure _cpu = new($"{streams} streams, event every 10 ms, CPU of ccp per event", "µs", Comparison.CcpOnly);
    private readonly Figure _p50 = new($"{streams} streams, delay of an event, p50", "µs", Comparison.Added, delayP50);
    private readonly Figure _p99 = new($"{streams} streams, delay of an event, p99", "µs", Comparison.Added, delayP99);

    public override IReadOnlyList<Figure> Figures => [_cpu, _p50, _p99];

    public override void RunRound()
    {
        var alone = Run(direct);
        var through = Run(ccp.Paying);
        _cpu.Add(through.CpuMicrosecondsPerEvent);
        _p50.Add(alone.Delay.P50, through.Delay.P50);
        _p99.Add(alone.Delay.P99, through.Delay.P99);
    }

    private StreamResult Run(Target target) =>
        new StreamLoad(target, target.Request(stream: true, Sizes.CallBytes), new(streams, stage.Durations.PacedEvents, Interval), stage.Unserved).Run(ccp.Process);
}

/// <summary>Many streams with an event a second: how much memory they take. Once only, on a ccp of their own, whose peak it is.</summary>
internal sealed class ManyStreams : Scenario
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Stage _stage;
    private readonly Figure _served;
    private readonly Figure _peak;
    private readonly Figure _p99;

    public ManyStreams(Stage stage)
    {
        _stage = stage;
        var streams = stage.Durations.ManyStreams;
        _served = new($"{streams} streams, event every second, served", "streams", Comparison.CcpOnly);
        _peak = new($"{streams} streams, peak RSS", "MB", Comparison.CcpOnly, streams == 1_000 ? new(150, 30) : null);
        _p99 = new($"{streams} streams, delay of an event, p99", "µs", Comparison.CcpOnly);
    }

    public override IReadOnlyList<Figure> Figures => [_served, _peak, _p99];

    public override void RunRound()
    {
        if (_served.CcpRounds.Count > 0)
        {
            return;
        }

        var events = _stage.Durations.ManyEvents.ToString(CultureInfo.InvariantCulture);
        var upstream = _stage.StartUpstream("upstream of many streams", "--events", events, "--interval-ms", "1000");
        using var ccp = _stage.StartCcp("ccp of many streams", upstream, "many");
        ccp.TopUp();
        var plan = new StreamPlan(_stage.Durations.ManyStreams, _stage.Durations.ManyEvents, Interval);
        var result = new StreamLoad(ccp.Paying, ccp.Paying.Request(stream: true, Sizes.CallBytes), plan, _stage.Unserved).Run(ccp.Process);
        _served.Add(result.Served);
        _peak.Add(ProcFiles.PeakResidentBytes(ccp.Process.Id) / 1e6);
        _p99.Add(result.Delay.P99);
        foreach (var problem in ccp.ProblemsOfBooks())
        {
            _stage.Unserved.Add(problem);
        }

        _stage.Stop(ccp.Process);
        _stage.Stop(upstream);
    }
}
