namespace Ccp.Admin;

/// <summary>Counts wrong tokens by the minute. A token cannot be guessed; this keeps guessing from costing anything.</summary>
internal sealed class WrongTokens(TimeProvider time)
{
    private const int PerMinuteMax = 120;

    private readonly Lock _lock = new();
    private long _since = time.GetTimestamp();
    private int _count;

    public bool AreTooMany
    {
        get
        {
            lock (_lock)
            {
                BeginMinute();
                return _count >= PerMinuteMax;
            }
        }
    }

    public void Add()
    {
        lock (_lock)
        {
            BeginMinute();
            _count++;
        }
    }

    private void BeginMinute()
    {
        if (time.GetElapsedTime(_since) >= TimeSpan.FromMinutes(1))
        {
            _since = time.GetTimestamp();
            _count = 0;
        }
    }
}
