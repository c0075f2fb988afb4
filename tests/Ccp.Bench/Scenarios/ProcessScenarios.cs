using System.Net;
using System.Text;
using Ccp.Bench.Client;
using Ccp.Bench.Machine;
using Ccp.Bench.Report;
using Ccp.Bench.Servers;

namespace Ccp.Bench.Scenarios;

/// <summary>From exec to the first answer, on a store that is there already; all starts in the first round.</summary>
internal sealed class Starts(Stage stage, ChildProcess upstream) : Scenario
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(0.5);

    private readonly Figure _start = new("start, exec to the first answer", "ms", Comparison.CcpOnly, new(60, 15));
    private readonly Figure _idle = new("RSS, idle after the start", "MB", Comparison.CcpOnly, new(25, 15));
    private readonly Figure _size = new("size of the executable", "MB", Comparison.CcpOnly, new(25, 15));

    public override IReadOnlyList<Figure> Figures => [_start, _idle, _size];

    public override void RunRound()
    {
        if (_start.CcpRounds.Count > 0)
        {
            return;
        }

        // The first one makes the store and the first admin, which happens once in the life of an installation.
        Start(isLast: false);
        for (var start = 1; start <= stage.Durations.Starts; start++)
        {
            _start.Add(Start(isLast: start == stage.Durations.Starts) / 1e6);
        }

        _size.Add(new FileInfo(stage.CcpPath).Length / 1e6);
    }

    /// <returns>Nanoseconds.</returns>
    private long Start(bool isLast)
    {
        var before = Clock.Now;
        using var ccp = stage.StartCcp("ccp that starts", upstream, "starts");
        using var connection = new CallConnection(ccp.Free.EndPoint);
        connection.Call(Encoding.ASCII.GetBytes($"HEAD / HTTP/1.1\r\nhost: {ccp.Process.Address.Authority}\r\n\r\n"));
        var took = Clock.Now - before;
        if (connection.Status != (int)HttpStatusCode.OK)
        {
            stage.Unserved.Add($"HEAD / was answered with {connection.Status}");
        }

        if (isLast)
        {
            Thread.Sleep(Idle);
            _idle.Add(ProcFiles.ResidentBytes(ccp.Process.Id) / 1e6);
        }

        stage.Stop(ccp.Process);
        return took;
    }
}

/// <summary>What the ccp that all rounds went through has kept after each of them. The spread over the rounds is the growth.</summary>
internal sealed class Growth(CcpServer ccp) : Scenario
{
    private readonly Figure _resident = new("RSS after a round", "MB", Comparison.CcpOnly);
    private readonly Figure _descriptors = new("open descriptors after a round", "files", Comparison.CcpOnly);

    public override IReadOnlyList<Figure> Figures => [_resident, _descriptors];

    public override void RunRound()
    {
        _resident.Add(ProcFiles.ResidentBytes(ccp.Process.Id) / 1e6);
        _descriptors.Add(ProcFiles.Descriptors(ccp.Process.Id));
    }
}
