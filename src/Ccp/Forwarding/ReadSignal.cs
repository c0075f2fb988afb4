using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Ccp.Forwarding;

/// <summary>Waits for a read that is under way, and can be woken meanwhile to look at something else. Allocates nothing per wait.</summary>
/// <remarks>
/// One relay loop waits; the end of a read and <see cref="Wake"/> come from any thread, and whichever is first ends the wait, inline: the loop
/// goes on on the thread that brought the bytes. A wait may also end for nothing, so the loop asks <see cref="IsReadDone"/> after each one.
/// </remarks>
internal sealed class ReadSignal : IValueTaskSource
{
    private readonly Action _onRead;
    private ManualResetValueTaskSourceCore<bool> _source;
    private volatile bool _isReadDone;
    private int _isWaiting;

    public ReadSignal()
    {
        _onRead = OnRead;
    }

    /// <summary>True once the watched read has ended; its result may then be taken.</summary>
    public bool IsReadDone => _isReadDone;

    public void Watch(ValueTaskAwaiter<int> read)
    {
        _isReadDone = false;
        read.UnsafeOnCompleted(_onRead);
    }

    public ValueTask WaitAsync()
    {
        _source.Reset();

        // A full fence: the processor may otherwise look at the read before the flag stands, while the read's end looks at the flag before
        // that; both miss each other then, and nobody comes to end the wait.
        Interlocked.Exchange(ref _isWaiting, 1);

        // The read may have ended before the flag stood; then nobody will come to end the wait.
        return _isReadDone && Interlocked.Exchange(ref _isWaiting, 0) == 1
            ? ValueTask.CompletedTask
            : new ValueTask(this, _source.Version);
    }

    /// <summary>Ends a wait, if there is one. A loop that is not waiting needs no waking: it looks at everything on its next turn.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            _source.SetResult(true);
        }
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void OnRead()
    {
        _isReadDone = true;
        Wake();
    }
}
