namespace Ccp.Telemetry;

/// <summary>A number that calls on any thread add to.</summary>
internal sealed class Counter
{
    private long _value;

    public long Value => Interlocked.Read(ref _value);

    public void Add(long amount) => Interlocked.Add(ref _value, amount);
}
