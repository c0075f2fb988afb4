using System.Net.Sockets;
using Ccp.Bench.Machine;

namespace Ccp.Bench.Client;

/// <param name="Cpu">Of the measured process, during <paramref name="Elapsed"/>.</param>
internal sealed record CallResult(Latency Total, Latency FirstByte, int Calls, TimeSpan Cpu, TimeSpan Elapsed)
{
    public double CpuMicrosecondsPerCall => Cpu.TotalMicroseconds / Calls;

    public double CallsPerSecond => Calls / Elapsed.TotalSeconds;
}

/// <summary>One call after the other on each of a few connections, a thread each, for a while.</summary>
internal sealed class CallLoad(Target target, byte[] request, int atOnce, TimeSpan lasts, Unserved unserved)
{
    /// <summary>Not measured: connections are made, pools filled.</summary>
    private const int WarmCalls = 30;

    private const int SamplesExpected = 32_768;

    private long _until;

    /// <param name="measured">The process whose CPU time is wanted; null for none.</param>
    public CallResult Run(ChildProcess? measured)
    {
        using var warm = new Barrier(atOnce + 1);
        using var begin = new ManualResetEventSlim();
        var workers = Enumerable.Range(0, atOnce).Select(_ => new Worker(this)).ToList();
        var threads = workers.ConvertAll(worker => new Thread(() => worker.Run(warm, begin)) { IsBackground = true });
        threads.ForEach(thread => thread.Start());
        warm.SignalAndWait();

        var cpuBefore = CpuOf(measured);
        var start = Clock.Now;
        Volatile.Write(ref _until, start + Clock.Nanoseconds(lasts));
        begin.Set();
        threads.ForEach(thread => thread.Join());
        var elapsed = TimeSpan.FromMicroseconds((Clock.Now - start) / 1_000);
        var cpu = CpuOf(measured) - cpuBefore;

        target.AddAnswered(workers.Sum(worker => worker.Answered));
        List<long> total = [.. workers.SelectMany(worker => worker.Total)];
        List<long> firstByte = [.. workers.SelectMany(worker => worker.FirstByte)];
        return new(Latency.Of(total), Latency.Of(firstByte), total.Count, cpu, elapsed);
    }

    private static TimeSpan CpuOf(ChildProcess? measured) => measured is null ? TimeSpan.Zero : LibC.CpuTimeOf(measured.Id);

    private sealed class Worker(CallLoad load)
    {
        /// <summary>After a failure: a server that is gone is not to be asked a million times.</summary>
        private const int PauseMs = 20;

        public List<long> Total { get; } = new(SamplesExpected);

        public List<long> FirstByte { get; } = new(SamplesExpected);

        public int Answered { get; private set; }

        public void Run(Barrier warm, ManualResetEventSlim begin)
        {
            using var connection = new CallConnection(load.EndPoint);
            for (var call = 0; call < WarmCalls; call++)
            {
                TryCall(connection);
            }

            warm.SignalAndWait();
            begin.Wait();
            while (Clock.Now < load._until)
            {
                if (TryCall(connection))
                {
                    Total.Add(connection.Total);
                    FirstByte.Add(connection.FirstByte);
                }
            }
        }

        private bool TryCall(CallConnection connection)
        {
            try
            {
                connection.Call(load.Request);
                if (connection.Status == 200)
                {
                    Answered++;
                    return true;
                }

                load.Refused($"status {connection.Status}: {connection.BodyStart}");
            }
            catch (Exception problem) when (problem is SocketException or BenchFailedException)
            {
                load.Refused(problem.Message);
            }

            connection.Close();
            Thread.Sleep(PauseMs);
            return false;
        }
    }

    private System.Net.EndPoint EndPoint => target.EndPoint;

    private byte[] Request => request;

    private void Refused(string reason) => unserved.Add($"a call of {atOnce} at once to {target.Name}: {reason}");
}
