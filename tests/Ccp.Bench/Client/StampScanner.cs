using System.Diagnostics;

namespace Ccp.Bench.Client;

/// <summary>Finds the time stamps of the scripted upstream in a stream of events, however it is cut, and keeps how long each event was under way.</summary>
/// <remarks>A stamp is <c>t=</c> and 19 digits, nanoseconds of the clock that <see cref="Stopwatch"/> reads too. Nothing else in these streams has an equals sign.</remarks>
internal sealed class StampScanner(int eventsMax)
{
    private const int Digits = 19;
    private const int Searching = -1;

    private readonly long[] _delays = new long[eventsMax];
    private int _digits = Searching;
    private long _stamp;
    private volatile int _count;

    /// <summary>Events so far; may be read from any thread.</summary>
    public int Count => _count;

    /// <summary>In nanoseconds, in the order of arrival.</summary>
    public ReadOnlySpan<long> Delays => _delays.AsSpan(0, Math.Min(_count, _delays.Length));

    /// <param name="now">When the bytes arrived, nanoseconds of the monotonic clock.</param>
    public void Feed(ReadOnlySpan<byte> bytes, long now)
    {
        while (!bytes.IsEmpty)
        {
            if (_digits == Searching)
            {
                var at = bytes.IndexOf((byte)'=');
                if (at < 0)
                {
                    return;
                }

                bytes = bytes[(at + 1)..];
                (_digits, _stamp) = (0, 0);
                continue;
            }

            TakeDigit(bytes[0], now);
            bytes = bytes[1..];
        }
    }

    private void TakeDigit(byte digit, long now)
    {
        if (!char.IsAsciiDigit((char)digit))
        {
            _digits = Searching;
            return;
        }

        _stamp = (_stamp * 10) + (digit - '0');
        if (++_digits < Digits)
        {
            return;
        }

        _digits = Searching;
        var count = _count;
        if (count < _delays.Length)
        {
            _delays[count] = now - _stamp;
        }

        _count = count + 1;
    }
}
