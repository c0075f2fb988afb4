using System.Buffers;
using System.IO.Pipelines;
using Ccp.Configuration;

namespace Ccp.Forwarding;

/// <summary>Passes an answer from the upstream to the client, read by read, and measures it in passing.</summary>
/// <remarks>
/// 1 read; 2 meter, and note what it comes to; 3 write and flush; again. While a read waits, a tick may send a ping, notice silence, or end the
/// stream for want of money. ccp's own events go only between events.
/// </remarks>
/// <param name="abandonClient">Breaks the connection to the client off.</param>
internal sealed class ResponseRelay(
    Stream upstream, PipeWriter client, Action abandonClient, AnswerMeter meter, LaneConfig lane, CallStop stop, CallMoney money, TimeProvider time)
{
    private const long NotSending = 0;

    private const int ReadBytesMax = 16 * 1024;

    private readonly ReadSignal _signal = new();
    private readonly long _startedAt = time.GetTimestamp();
    private long _waitingSince;
    private long _sendingSince = NotSending;
    private long _lastSentAt = time.GetTimestamp();
    private bool _hasUnsentHead = true;
    private bool _isCutShort;
    private bool _isRefused;

    private static readonly byte[] Ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n"u8.ToArray();

    /// <summary>From the start of the relay to the first byte of the body; null when none came.</summary>
    public TimeSpan? FirstByteAfter { get; private set; }

    /// <summary>True once anything, the head included, has gone to the client.</summary>
    public bool HasReachedClient { get; private set; }

    /// <summary>True when the upstream closed its answer in good order, finished or not.</summary>
    public bool EndedCleanly { get; private set; }

    /// <summary>True where words of ccp's own can be put, and read as such.</summary>
    public bool CanTell => meter is { IsStream: true, IsAtEventBoundary: true } && !_isRefused;

    /// <summary>The money is gone, and here an end can be told. Once the final numbers are in, it would spare nothing and break a whole message.</summary>
    private bool MustEnd => money.MustEnd && meter.IsAtEventBoundary && !meter.HasFinalUsage;

    /// <summary>Told to end, by ccp itself, where it can be said.</summary>
    private bool IsEnded => stop.Token.IsCancellationRequested && (stop.Cause is RelayEnd.OutOfCredit or RelayEnd.SpendLimit or RelayEnd.ShutDown) && meter.IsAtEventBoundary;

    /// <summary>Called about once a second, on any thread, and when the stream must end.</summary>
    public void Wake()
    {
        // A client that takes nothing for so long is gone, whatever its connection says: with it would stay the upstream's answer and the money held.
        var since = Interlocked.Read(ref _sendingSince);
        if (since != NotSending && time.GetElapsedTime(since) >= lane.IdleTimeout)
        {
            abandonClient();
        }

        _signal.Wake();
    }

    public async Task<RelayEnd> RunAsync()
    {
        var end = await RelayAsync();

        // An answer that has said that it is over, or has failed, is whole to its reader: whatever ended the connection after that is not to be told.
        return end != RelayEnd.ClientLeft && !_isCutShort && (meter.IsComplete || meter.SawError) ? RelayEnd.Complete : end;
    }

    /// <summary>ccp's own last words, after the end. A client that does not take them is given up as before it.</summary>
    public async ValueTask TellAsync(ReadOnlyMemory<byte> words) => await SendAsync(words);

    private async Task<RelayEnd> RelayAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytesMax);
        try
        {
            while (true)
            {
                // :: 1 read
                var read = await ReadAsync(buffer);
                if (read == 0)
                {
                    EndedCleanly = true;
                    return meter.IsStream ? RelayEnd.UpstreamCut : RelayEnd.Complete;
                }

                // To be ended since before the read, or since it was under way: what it brought is not served, and could leave the client in the middle of an event.
                if (MustEnd || IsEnded)
                {
                    stop.Stop(money.EndCause);
                    MeterUnsent(buffer.AsSpan(0, read));
                    return stop.Cause;
                }

                // :: 2 meter. Before it is written: if the client has just left, the tokens were made all the same, and are owed.
                var paidFor = Meter(buffer.AsSpan(0, read));
                if (meter.HasStarted)
                {
                    stop.MayEndAtOnce();
                }

                // :: 3 write and flush. However small: held back, an event would sit here while the person watches a still screen.
                if (paidFor > 0 && !stop.IsClientGone)
                {
                    await SendAsync(buffer.AsMemory(0, paidFor));
                }

                if (MustEnd)
                {
                    stop.Stop(money.EndCause);
                    return stop.Cause;
                }
            }
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return stop.Cause;
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            return stop.Token.IsCancellationRequested ? stop.Cause : RelayEnd.UpstreamCut;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Event by event: one read may hold many, and what comes after the one that used up the money is neither served nor charged.</summary>
    /// <returns>How much of it is to be relayed.</returns>
    private int Meter(ReadOnlySpan<byte> bytes)
    {
        var metered = 0;
        while (metered < bytes.Length && !MustEnd)
        {
            var length = meter.EventLengthIn(bytes[metered..]);
            meter.Observe(bytes.Slice(metered, length));
            money.NoteProgress(meter.RunningTokens, meter.ReportedTerms);
            metered += length;
        }

        return metered;
    }

    /// <summary>Of what is not served only as much as says how large the prompt was: that is owed, and better known than estimated.</summary>
    private void MeterUnsent(ReadOnlySpan<byte> bytes)
    {
        _isCutShort = !(meter.IsComplete || meter.SawError);
        var isThere = true;
        while (isThere && !meter.HasStarted)
        {
            isThere = meter.ObserveEvent(ref bytes);
        }
    }

    private async ValueTask<int> ReadAsync(byte[] buffer)
    {
#pragma warning disable CA2012 // The awaiter is used once: its result is taken when the signal, or itself, says that it is there.
        var read = upstream.ReadAsync(buffer.AsMemory(0, ReadBytesMax), stop.Token).GetAwaiter();
#pragma warning restore CA2012
        if (!read.IsCompleted)
        {
            // From here, not from the last byte: the time a slow client took is not the upstream's silence.
            _waitingSince = time.GetTimestamp();
            _signal.Watch(read);
            try
            {
                await WaitAsync();
            }
            catch
            {
                // The buffer goes back to the pool after this: not before the read has let go of it.
                stop.Stop(RelayEnd.ClientLeft);
                while (!_signal.IsReadDone)
                {
                    await _signal.WaitAsync();
                }

                throw;
            }
        }

        return NoteRead(read.GetResult());
    }

    private int NoteRead(int read)
    {
        if (read > 0)
        {
            FirstByteAfter ??= time.GetElapsedTime(_startedAt);
        }

        return read;
    }

    private async ValueTask WaitAsync()
    {
        if (_hasUnsentHead && !stop.IsClientGone)
        {
            await SendAsync(default);
        }

        if (meter.HasFinalUsage)
        {
            // The final numbers are in, and the upstream takes its time to end: they are written down now.
            money.NoteFinal(meter.Read());
        }

        while (!_signal.IsReadDone)
        {
            await _signal.WaitAsync();
            if (!_signal.IsReadDone)
            {
                await LookUpAsync();
            }
        }
    }

    private async ValueTask LookUpAsync()
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_waitingSince, now) >= lane.IdleTimeout)
        {
            stop.Stop(RelayEnd.UpstreamStalled);
        }
        else if (MustEnd)
        {
            stop.Stop(money.EndCause);
        }
        else if (meter.IsAtEventBoundary && !stop.IsClientGone && time.GetElapsedTime(_lastSentAt, now) >= lane.PingAfter)
        {
            await SendAsync(Ping);
        }
    }

    /// <param name="bytes">None: only the head goes.</param>
    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        _hasUnsentHead = false;
        HasReachedClient = true;
        Interlocked.Exchange(ref _sendingSince, Math.Max(1, time.GetTimestamp()));
        try
        {
            _ = bytes.IsEmpty ? await client.FlushAsync() : await client.WriteAsync(bytes);
        }
        catch (InvalidOperationException error)
        {
            // The web server does not take it: a status that allows no body came with one, say. To the client that is a cut, and what came is owed.
            _isRefused = true;
            throw new IOException("The answer cannot be written.", error);
        }

        Interlocked.Exchange(ref _sendingSince, NotSending);
        _lastSentAt = time.GetTimestamp();
    }
}
