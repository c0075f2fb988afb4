using System.Globalization;
using Ccp.Bench.Client;
using Ccp.Bench.Report;
using Ccp.Bench.Scenarios;
using Ccp.Bench.Servers;

namespace Ccp.Bench;

/// <summary>All scenarios, round after round.</summary>
internal sealed class Benchmark
{
    private readonly Stage _stage;
    private readonly CcpServer _ccp;
    private readonly CcpServer _slowCcp;
    private readonly Target _direct;
    private readonly IReadOnlyList<Scenario> _scenarios;

    public Benchmark(Stage stage)
    {
        _stage = stage;
        string[] paced = ["--events", Text(stage.Durations.PacedEvents), "--interval-ms", Text((int)PacedStreams.Interval.TotalMilliseconds)];
        var upstream = stage.StartUpstream("upstream", ["--reply-bytes", Text(Sizes.ReplyBytes), .. paced]);
        var slow = stage.StartUpstream("slow upstream", "--events", "1", "--first-byte-ms", "20");
        _ccp = stage.StartCcp("ccp", upstream, "main");
        _slowCcp = stage.StartCcp("ccp of the slow upstream", slow, "slow");
        _ccp.TopUp();
        _slowCcp.TopUp();

        const string NoToken = "none";
        _direct = new Target("upstream", upstream.Address, NoToken);
        _scenarios =
        [
            new SingleCalls(stage, _direct, _ccp),
            new BusyCalls(stage, _direct, _ccp),
            new Uploads(stage, _direct, _ccp),
            new PacedStreams(stage, _direct, _ccp, streams: 20, delayP50: new(60, 30), delayP99: new(2_000, 500)),
            new PacedStreams(stage, _direct, _ccp, streams: 200),
            new FirstBytes(stage, new Target("slow upstream", slow.Address, NoToken), _slowCcp),
            new Growth(_ccp),
            new ManyStreams(stage),
            new Starts(stage, upstream),
        ];
    }

    public IEnumerable<Figure> Figures => _scenarios.SelectMany(scenario => scenario.Figures);

    public void Run()
    {
        // The upstream and this client are compiled while they run; ccp is not. Whoever came first would pay for it.
        new CallLoad(_direct, _direct.Request(stream: false, Sizes.CallBytes), atOnce: 2, _stage.Durations.Calls, _stage.Unserved).Run(measured: null);
        for (var round = 1; round <= _stage.Durations.Rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {_stage.Durations.Rounds}");
            foreach (var scenario in _scenarios)
            {
                scenario.RunRound();
            }
        }

        foreach (var ccp in new[] { _ccp, _slowCcp })
        {
            foreach (var problem in ccp.ProblemsOfBooks())
            {
                _stage.Unserved.Add(problem);
            }

            _stage.Stop(ccp.Process);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
