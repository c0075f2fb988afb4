using System.Threading.Tasks.Sources;
using Ccp.Forwarding;

namespace Ccp.Tests.Forwarding;

public sealed class ReadSignalTests
{
    [Fact]
    public async Task A_read_that_ends_ends_the_wait()
    {
        var signal = new ReadSignal();
        var read = new ManualRead();
        signal.Watch(read.Begin());
        var wait = signal.WaitAsync();
        Assert.False(wait.IsCompleted);
        read.End();
        Assert.True(wait.IsCompleted);
        await wait;
        Assert.True(signal.IsReadDone);
    }

    [Fact]
    public async Task A_read_that_ended_before_the_wait_is_not_waited_for()
    {
        var signal = new ReadSignal();
        var read = new ManualRead();
        signal.Watch(read.Begin());
        read.End();
        var wait = signal.WaitAsync();
        Assert.True(wait.IsCompleted);
        await wait;
    }

    [Fact]
    public async Task Waking_ends_the_wait_and_leaves_the_read_under_way()
    {
        var signal = new ReadSignal();
        var read = new ManualRead();
        signal.Watch(read.Begin());
        var woken = signal.WaitAsync();
        signal.Wake();
        await woken;
        Assert.False(signal.IsReadDone);

        // With nobody waiting a wake is nothing.
        signal.Wake();
        signal.Wake();
        var wait = signal.WaitAsync();
        Assert.False(wait.IsCompleted);
        read.End();
        await wait;
        Assert.True(signal.IsReadDone);
    }

    /// <summary>
    /// Goal: no end of a read is ever missed, for nothing would come to end the wait.
    /// Method: two threads meet at every read, so that its end and the beginning of the wait fall together as often as can be; a third wakes at random.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_wake_up_is_lost_however_the_threads_meet(bool isWokenAtRandom)
    {
        const int Reads = 20_000;
        var signal = new ReadSignal();
        var read = new ManualRead();
        var begun = 0;
        var ended = 0;
        var isOver = false;
        var upstream = new Thread(() =>
        {
            var random = new Random(20261122);
            for (var number = 1; number <= Reads; number++)
            {
                var spin = new SpinWait();
                while (Volatile.Read(ref begun) < number)
                {
                    if (Volatile.Read(ref isOver))
                    {
                        return;
                    }

                    spin.SpinOnce(sleep1Threshold: -1);
                }

                Thread.SpinWait(random.Next(20));
                read.End();
                Volatile.Write(ref ended, number);
            }
        })
        { IsBackground = true };
        var ticks = new Thread(() =>
        {
            while (isWokenAtRandom && !Volatile.Read(ref isOver))
            {
                signal.Wake();
                Thread.SpinWait(500);
                Thread.Yield();
            }
        })
        { IsBackground = true };
        upstream.Start();
        ticks.Start();

        var loop = Task.Run(async () =>
        {
            for (var number = 1; number <= Reads; number++)
            {
                // The end of the last read is called on its own thread, which must be out of it before the source is used again.
                while (Volatile.Read(ref ended) < number - 1)
                {
                    await Task.Yield();
                }

                signal.Watch(read.Begin());
                Volatile.Write(ref begun, number);
                while (!signal.IsReadDone)
                {
                    await signal.WaitAsync();
                }
            }
        }, TestContext.Current.CancellationToken);

        try
        {
            await loop.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }
        finally
        {
            Volatile.Write(ref isOver, true);
        }

        Assert.Equal(Reads, begun);
    }

    /// <summary>A read that ends when the test says so.</summary>
    private sealed class ManualRead : IValueTaskSource<int>
    {
        private ManualResetValueTaskSourceCore<int> _source;

        public System.Runtime.CompilerServices.ValueTaskAwaiter<int> Begin()
        {
            _source.Reset();
            return new ValueTask<int>(this, _source.Version).GetAwaiter();
        }

        public void End() => _source.SetResult(1);

        public int GetResult(short token) => _source.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);
    }
}
