using System.Runtime.InteropServices;
using Ccp.Bench.Report;
using Ccp.Bench.Servers;

namespace Ccp.Bench;

internal static class Program
{
    private const string Help = """
        Measures artifacts/ccp beside a direct connection to the same upstream, on this machine's loopback, for about a minute.

          --short   ten seconds: does everything come through? Its figures mean nothing.

        The figures are also written to artifacts/bench.json. Ends with 1 when a call was not served or a server did not end
        well; never because of a time.

        """;

    private const int Failed = 1;
    private const int WrongUsage = 2;
    private const int Interrupted = 130;

    public static int Main(string[] args)
    {
        // Receives of the stream client complete on the thread that learns of them: a hop would be taken for a delay of the event.
        // Must stand before the first socket is made.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        if (args is not ([] or ["--short"]))
        {
            Console.Error.Write(Help);
            return args is ["--help"] ? 0 : WrongUsage;
        }

        var interrupted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Interrupt(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupted.TrySetResult();
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        try
        {
            using var stage = new Stage(args is ["--short"] ? Durations.Short : Durations.Full);
            var run = Task.Factory.StartNew(() => Run(stage), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

            // Leaving disposes of the stage, which ends the servers; the run's own thread dies with the process.
            return Task.WhenAny(run, interrupted.Task).GetAwaiter().GetResult() == run ? run.GetAwaiter().GetResult() : Interrupted;
        }
        catch (Exception problem)
        {
            // All of them: one that nobody catches ends the process before the servers are ended.
            Console.Error.WriteLine($"the benchmark failed: {(problem is BenchFailedException ? problem.Message : problem)}");
            return Failed;
        }
    }

    private static int Run(Stage stage)
    {
        var isShort = stage.Durations == Durations.Short;
        var surroundings = Surroundings.Now(stage.MeasureSyncedWrite(), isShort);
        var benchmark = new Benchmark(stage);
        try
        {
            benchmark.Run();
        }
        catch (BenchFailedException problem)
        {
            // What has been measured until then is shown all the same; that it ended early is a problem like others.
            stage.Unserved.Add(problem.Message);
            stage.StopAllThatEnded();
        }

        var unserved = stage.Unserved;
        Table.Write(Console.Out, surroundings, benchmark.Figures);
        JsonReport.Write(Path.GetFullPath("artifacts/bench.json"), surroundings, benchmark.Figures, unserved.Reasons);
        foreach (var reason in unserved.Reasons)
        {
            Console.Error.WriteLine(reason);
        }

        Console.WriteLine(unserved.Count == 0 ? "\neverything was served" : $"\n{unserved.Count} problems, listed on standard error");
        return unserved.Count == 0 ? 0 : Failed;
    }
}
