using Ccp.Bench.Client;
using Ccp.Bench.Report;
using Ccp.Bench.Servers;

namespace Ccp.Bench.Scenarios;

/// <summary>One JSON call after the other, 10 KB up and 2 KB down: what ccp adds to the wait.</summary>
internal sealed class SingleCalls(Stage stage, Target direct, CcpServer ccp) : Scenario
{
    private readonly Figure _offP50 = new("JSON call, 1 at a time, ledger off, p50", "µs", Comparison.Added, new(100, 50));
    private readonly Figure _offP99 = new("JSON call, 1 at a time, ledger off, p99", "µs", Comparison.Added, new(300, 150));
    private readonly Figure _onP50 = new("JSON call, 1 at a time, ledger on, p50", "µs", Comparison.Added);
    private readonly Figure _onP99 = new("JSON call, 1 at a time, ledger on, p99", "µs", Comparison.Added);

    public override IReadOnlyList<Figure> Figures => [_offP50, _offP99, _onP50, _onP99];

    public override void RunRound()
    {
        var alone = Run(direct);
        var off = Run(ccp.Free);
        var on = Run(ccp.Paying);
        _offP50.Add(alone.P50, off.P50);
        _offP99.Add(alone.P99, off.P99);
        _onP50.Add(alone.P50, on.P50);
        _onP99.Add(alone.P99, on.P99);
    }

    private Latency Run(Target target) =>
        new CallLoad(target, target.Request(stream: false, Sizes.CallBytes), atOnce: 1, stage.Durations.Calls, stage.Unserved).Run(measured: null).Total;
}

/// <summary>The same call, 16 at once: what it costs ccp, and how many it can do beside a client and an upstream that want the same cores.</summary>
internal sealed class BusyCalls(Stage stage, Target direct, CcpServer ccp) : Scenario
{
    private const int AtOnce = 16;

    private readonly Figure _offCpu = new("JSON call, 16 at once, ledger off, CPU of ccp", "µs", Comparison.CcpOnly);
    private readonly Figure _onCpu = new("JSON call, 16 at once, ledger on, CPU of ccp", "µs", Comparison.CcpOnly);
    private readonly Figure _ledgerCpu = new("  of it for the ledger", "µs", Comparison.CcpOnly, new(40, 15));
    private readonly Figure _offCalls = new("JSON call, 16 at once, ledger off, calls", "1/s", Comparison.Ratio);
    private readonly Figure _onCalls = new("JSON call, 16 at once, ledger on, calls", "1/s", Comparison.Ratio);

    public override IReadOnlyList<Figure> Figures => [_offCpu, _onCpu, _ledgerCpu, _offCalls, _onCalls];

    public override void RunRound()
    {
        var alone = Run(direct);
        var off = Run(ccp.Free);
        var on = Run(ccp.Paying);
        _offCpu.Add(off.CpuMicrosecondsPerCall);
        _onCpu.Add(on.CpuMicrosecondsPerCall);
        _ledgerCpu.Add(on.CpuMicrosecondsPerCall - off.CpuMicrosecondsPerCall);
        _offCalls.Add(alone.CallsPerSecond, off.CallsPerSecond);
        _onCalls.Add(alone.CallsPerSecond, on.CallsPerSecond);
    }

    private CallResult Run(Target target) =>
        new CallLoad(target, target.Request(stream: false, Sizes.CallBytes), AtOnce, stage.Durations.Calls, stage.Unserved).Run(ccp.Process);
}

/// <summary>A long conversation, as Claude Code sends it with every turn.</summary>
internal sealed class Uploads(Stage stage, Target direct, CcpServer ccp) : Scenario
{
    private readonly Figure _cpu = new("150 KB up, 1 at a time, ledger off, CPU of ccp", "µs", Comparison.CcpOnly);
    private readonly Figure _p50 = new("150 KB up, 1 at a time, ledger off, p50", "µs", Comparison.Added);

    public override IReadOnlyList<Figure> Figures => [_cpu, _p50];

    public override void RunRound()
    {
        var alone = Run(direct);
        var off = Run(ccp.Free);
        _cpu.Add(off.CpuMicrosecondsPerCall);
        _p50.Add(alone.Total.P50, off.Total.P50);
    }

    private CallResult Run(Target target) =>
        new CallLoad(target, target.Request(stream: false, Sizes.UploadBytes), atOnce: 1, stage.Durations.Calls, stage.Unserved).Run(ccp.Process);
}

/// <summary>Streams of an upstream that takes 20 ms to its first byte, in which the hold can reach the disk. Real ones take hundreds.</summary>
internal sealed class FirstBytes(Stage stage, Target direct, CcpServer ccp) : Scenario
{
    // One at a time would give too few samples for a p99.
    private const int AtOnce = 8;

    private readonly Figure _offP50 = new("first byte of 20 ms, 8 at once, ledger off, p50", "µs", Comparison.Added);
    private readonly Figure _offP99 = new("first byte of 20 ms, 8 at once, ledger off, p99", "µs", Comparison.Added);
    private readonly Figure _onP50 = new("first byte of 20 ms, 8 at once, ledger on, p50", "µs", Comparison.Added);
    private readonly Figure _onP99 = new("first byte of 20 ms, 8 at once, ledger on, p99", "µs", Comparison.Added, new(3_000, 1_000));

    public override IReadOnlyList<Figure> Figures => [_offP50, _offP99, _onP50, _onP99];

    public override void RunRound()
    {
        var alone = Run(direct);
        var off = Run(ccp.Free);
        var on = Run(ccp.Paying);
        _offP50.Add(alone.P50, off.P50);
        _offP99.Add(alone.P99, off.P99);
        _onP50.Add(alone.P50, on.P50);
        _onP99.Add(alone.P99, on.P99);
    }

    private Latency Run(Target target) =>
        new CallLoad(target, target.Request(stream: true, Sizes.CallBytes), AtOnce, stage.Durations.Calls, stage.Unserved).Run(measured: null).FirstByte;
}

/// <summary>In bytes.</summary>
internal static class Sizes
{
    public const int CallBytes = 10_000;
    public const int UploadBytes = 150_000;
    public const int ReplyBytes = 2_000;
}
