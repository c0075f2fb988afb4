namespace Ccp.Forwarding;

/// <summary>The one switch that ends a call's upstream side, and the reason it was thrown for. The first reason stays.</summary>
internal sealed class CallStop : IDisposable
{
    /// <summary>How long ccp reads on for a client that left before the answer began: the prompt is being worked on, and is owed.</summary>
    public static readonly TimeSpan GraceForStart = TimeSpan.FromSeconds(30);

    private const int StillRunning = -1;

    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _clientLeft;
    private int _cause = StillRunning;
    private volatile bool _isClientGone;
    private volatile bool _mayEndAtOnce;

    public CallStop(TimeProvider time, CancellationToken clientLeft)
    {
        _source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _clientLeft = clientLeft.UnsafeRegister(static stop => ((CallStop)stop!).OnClientLeft(), this);
    }

    public CancellationToken Token => _source.Token;

    public bool IsClientGone => _isClientGone;

    /// <summary>Why the call was stopped. With no reason given, the time allowed ran out, or the client's grace did.</summary>
    public RelayEnd Cause => _cause != StillRunning ? (RelayEnd)_cause : _isClientGone ? RelayEnd.ClientLeft : RelayEnd.TimedOut;

    public void Stop(RelayEnd cause)
    {
        if (Interlocked.CompareExchange(ref _cause, (int)cause, StillRunning) == StillRunning)
        {
            try
            {
                _source.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The call ended by itself in this moment; whoever stops many must not stumble over it.
            }
        }
    }

    /// <summary>How long the upstream may take to begin its answer.</summary>
    public void AllowUntilAnswer(TimeSpan allowed)
    {
        _source.CancelAfter(allowed);
        if (_isClientGone)
        {
            _source.CancelAfter(GraceForStart);
        }
    }

    /// <summary>The answer has begun: from here silence is judged read by read.</summary>
    public void AnswerHasBegun()
    {
        if (!_isClientGone)
        {
            _source.CancelAfter(Timeout.InfiniteTimeSpan);

            // It may have left between the two lines, and set a grace that has just been taken away.
            if (_isClientGone)
            {
                _source.CancelAfter(GraceForStart);
            }
        }
    }

    /// <summary>What was used is known from here on: a client that leaves now ends the call at once.</summary>
    public void MayEndAtOnce()
    {
        _mayEndAtOnce = true;
        if (_isClientGone)
        {
            Stop(RelayEnd.ClientLeft);
        }
    }

    public void Dispose()
    {
        _clientLeft.Dispose();
        _source.Dispose();
    }

    private void OnClientLeft()
    {
        _isClientGone = true;
        if (_mayEndAtOnce)
        {
            Stop(RelayEnd.ClientLeft);
        }
        else
        {
            _source.CancelAfter(GraceForStart);
        }
    }
}
