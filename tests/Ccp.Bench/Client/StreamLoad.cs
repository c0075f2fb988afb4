using System.Net.Sockets;
using Ccp.Bench.Machine;

namespace Ccp.Bench.Client;

/// <param name="Events">Per stream.</param>
/// <param name="Interval">Between the events of a stream; the streams begin spread over one such interval.</param>
internal sealed record StreamPlan(int Streams, int Events, TimeSpan Interval);

/// <param name="Delay">Of an event, from the upstream's write to its arrival here.</param>
/// <param name="Served">Streams that came whole.</param>
internal sealed record StreamResult(Latency Delay, int Served, double CpuMicrosecondsPerEvent);

/// <summary>Many paced streams at the same time, each on a connection of its own.</summary>
internal sealed class StreamLoad(Target target, byte[] request, StreamPlan plan, Unserved unserved)
{
    // The completion of a receive runs on the thread that learnt of it (see Program), so nothing in the streams' path may block.
    private const int ReceiveBytes = 8 * 1024;

    private const int PollMs = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly StampScanner[] _stamps = [.. Enumerable.Range(0, plan.Streams).Select(_ => new StampScanner(plan.Events))];

    private long EventsSoFar => _stamps.Sum(stamps => (long)stamps.Count);

    /// <summary>The first events of a stream fall together with the openings of the others.</summary>
    private int WarmEvents => plan.Events / 10;

    /// <param name="measured">The process whose CPU time is wanted; null for none.</param>
    public StreamResult Run(ChildProcess? measured)
    {
        using var limit = new CancellationTokenSource((plan.Interval * (plan.Events + 1)) + Patience);
        var streams = Enumerable.Range(0, plan.Streams).Select(number => RunOneAsync(number, limit.Token)).ToArray();
        var cpuPerEvent = CpuPerEvent(measured, Task.WhenAll(streams));
        var served = Task.WhenAll(streams).GetAwaiter().GetResult().Count(isServed => isServed);
        target.AddAnswered(served);

        var delays = new List<long>(plan.Streams * plan.Events);
        foreach (var stamps in _stamps)
        {
            delays.AddRange(stamps.Delays[Math.Min(WarmEvents, stamps.Delays.Length)..]);
        }

        return new(Latency.Of(delays), served, cpuPerEvent);
    }

    /// <summary>From when every stream is well under way until the first one is about to end.</summary>
    private double CpuPerEvent(ChildProcess? measured, Task all)
    {
        WaitUntil(() => _stamps.All(stamps => stamps.Count > WarmEvents), all);
        var (cpuBefore, eventsBefore) = (CpuOf(measured), EventsSoFar);
        WaitUntil(() => _stamps.Any(stamps => stamps.Count >= plan.Events - 1), all);
        var (cpu, events) = (CpuOf(measured) - cpuBefore, EventsSoFar - eventsBefore);
        return cpu.TotalMicroseconds / events;
    }

    private static void WaitUntil(Func<bool> isSo, Task all)
    {
        while (!isSo() && !all.IsCompleted)
        {
            Thread.Sleep(PollMs);
        }
    }

    private static TimeSpan CpuOf(ChildProcess? measured) => measured is null ? TimeSpan.Zero : LibC.CpuTimeOf(measured.Id);

    private async Task<bool> RunOneAsync(int number, CancellationToken limit)
    {
        var stamps = _stamps[number];
        try
        {
            await Task.Delay(plan.Interval * number / plan.Streams, limit);
            using var socket = new Socket(target.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

            // Once for the stream; a token with every receive would cost each event.
            await using var late = limit.Register(socket.Dispose);
            await socket.ConnectAsync(target.EndPoint, limit);
            for (var sent = 0; sent < request.Length;)
            {
                sent += await socket.SendAsync(request.AsMemory(sent), limit);
            }

            var answer = await ReadAsync(socket, stamps);
            if (answer.Status == 200 && stamps.Count == plan.Events)
            {
                return true;
            }

            unserved.Add($"{Name}: status {answer.Status}, {stamps.Count} of {plan.Events} events: {answer.BodyStart}");
        }
        catch (Exception problem) when (problem is SocketException or BenchFailedException or OperationCanceledException or ObjectDisposedException)
        {
            unserved.Add($"{Name}: {stamps.Count} of {plan.Events} events, then {problem.Message}");
        }

        return false;
    }

    private string Name => $"one of {plan.Streams} streams from {target.Name}";

    private static async Task<AnswerReader> ReadAsync(Socket socket, StampScanner stamps)
    {
        var answer = new AnswerReader(stamps);
        var received = new byte[ReceiveBytes];
        while (true)
        {
            var count = await socket.ReceiveAsync(received);
            if (count == 0)
            {
                throw new BenchFailedException($"the connection was closed within the answer (status {answer.Status}).");
            }

            if (answer.Feed(received.AsSpan(0, count), Clock.Now))
            {
                return answer;
            }
        }
    }
}
