using Ccp.Configuration;
using Ccp.Store;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Quotas;

/// <summary>All quotas as they are counted, in memory. One short lock; nothing in it waits for the disk.</summary>
/// <remarks>
/// A call counts from its first metered token on, and its record says the same as its last count: what is rebuilt from the records, at the start
/// or by a reload, is what was counted.
/// </remarks>
internal sealed class QuotaBook(string storePath, WriteQueue writes, TimeProvider time, ILogger log)
{
    /// <summary>So much is corrected all the time, and is no other time.</summary>
    private static readonly TimeSpan SetBackMin = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly QuotaJournal _journal = new(writes, log);

    /// <summary>Calls in progress and, while a rebuild goes on, those that ended meanwhile.</summary>
    private readonly HashSet<QuotaUse> _open = [];

    /// <summary>429s that came while a rebuild goes on.</summary>
    private readonly List<TooManySeen> _tooMany = [];
    private IReadOnlyList<QuotaConfig> _wanted = [];
    private QuotaCounter[] _counters = [];
    private DateTimeOffset _clock;
    private int _rebuilds;
    private long _turnGiven;
    private long _turnInForce;

    /// <summary>Counts from the store, before any call.</summary>
    public void Load(Database reader, IReadOnlyList<QuotaConfig> quotas)
    {
        _wanted = quotas;
        TakeUp(QuotaSnapshot.Read(reader, quotas, InProgress, time), _turnGiven);
    }

    /// <summary>Before records are counted: those that are dated later than now are, from here on, of now.</summary>
    /// <returns>How many there were.</returns>
    public static int NoteLater(Database database, TimeProvider time, ILogger log)
    {
        var found = QuotaRecords.NoteLater(database, time.GetUtcNow());
        if (found > 0)
        {
            log.RecordsDatedLater(found);
        }

        return found;
    }

    /// <summary>Takes up other quotas, or the same, and counts them anew from the records, beside the calls and their writes. No call is lost or counted twice.</summary>
    /// <exception cref="StoreUnavailableException">The store failed; everything is as before.</exception>
    public async Task ReloadAsync(IReadOnlyList<QuotaConfig> quotas)
    {
        long turn;
        lock (_lock)
        {
            _rebuilds++;
            turn = ++_turnGiven;
            _wanted = quotas;
        }

        try
        {
            // What ended before this is on disk then, and in the snapshot; what ends from here on is kept in memory.
            await writes.WriteAsync(database => NoteLater(database, time, log));

            // A thread of its own: a large store takes seconds to count.
            await Task.Factory.StartNew(() => TakeUp(QuotaSnapshot.Read(storePath, quotas, InProgress, time), turn), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            lock (_lock)
            {
                _rebuilds--;
                if (_rebuilds == 0)
                {
                    _open.RemoveWhere(use => use.IsClosed);
                    _tooMany.Clear();
                }
            }
        }
    }

    /// <summary>A call is sent to a lane.</summary>
    /// <param name="at">When the call began.</param>
    public QuotaUse Open(string requestId, string lane, string model, DateTimeOffset at)
    {
        var use = new QuotaUse(this, requestId, lane, model, at);
        lock (_lock)
        {
            _open.Add(use);
        }

        return use;
    }

    /// <summary>How every quota stands now. Empty when there is none.</summary>
    public IReadOnlyList<QuotaStanding> At(DateTimeOffset now)
    {
        lock (_lock)
        {
            return _counters.Length == 0 ? [] : Look(now, _ => 0);
        }
    }

    /// <summary>As <see cref="At"/>, with the calls in progress.</summary>
    public IReadOnlyList<QuotaStanding> Report(DateTimeOffset now)
    {
        lock (_lock)
        {
            return Look(now, counter => _open.Count(use => !use.IsClosed && counter.Covers(use.Lane, use.Model)));
        }
    }

    public void Count(QuotaUse use, long tokens)
    {
        List<QuotaStanding>? risen = null;
        lock (_lock)
        {
            var more = tokens - use.Counted;
            use.Counted = tokens;
            if (more == 0 || use.IsRecorded || _counters.Length == 0)
            {
                return;
            }

            var now = Now();
            foreach (var counter in CountersOf(use.Lane, use.Model))
            {
                counter.MoveTo(now);
                counter.Add(use.At, more);
                if (counter.Look(now) is var standing && counter.Rise(standing) is not null)
                {
                    (risen ??= []).Add(standing);
                }
            }
        }

        risen?.ForEach(Say);
    }

    public void Close(QuotaUse use, long tokens)
    {
        Count(use, tokens);
        lock (_lock)
        {
            use.IsClosed = true;
            if (_rebuilds == 0)
            {
                _open.Remove(use);
            }
        }
    }

    /// <summary>A lane has said 429 to a call that would have been charged, with a key of the operator's.</summary>
    /// <param name="retryAfter">As the lane has it; null when it did not say.</param>
    public void NoteTooMany(string lane, string model, TimeSpan? retryAfter)
    {
        DateTimeOffset now;
        (QuotaConfig Quota, QuotaOvershoot Seen)[] seen;
        lock (_lock)
        {
            now = Now();
            seen = [.. CountersOf(lane, model).Select(counter => (counter.Quota, counter.NoteTooMany(now, retryAfter)))];
            if (_rebuilds > 0)
            {
                _tooMany.Add(new TooManySeen(lane, model, now, retryAfter));
            }

            // Queued before anyone can ask for a rebuild that does not know of it.
            _journal.TooMany(lane, model, now, seen);
        }

        foreach (var (quota, one) in seen.Where(one => one.Seen.IsNew && one.Quota.Reroute != QuotaReroute.RunToCap))
        {
            log.QuotaCoolsDown(quota.Lane, quota.Pattern, (long)Math.Ceiling((one.Until - now).TotalSeconds));
        }
    }

    /// <summary>As <see cref="NoteTooMany"/>, to a call that says nothing about the operator's quota: it is counted and no more.</summary>
    public void CountTooMany(string lane, string model) => _journal.TooMany(lane, model, time.GetUtcNow(), []);

    /// <summary>A call went on to another lane after this one had failed.</summary>
    public void NoteFallback(string lane, string model) => _journal.Fallback(lane, model, time.GetUtcNow());

    private void Say(QuotaStanding standing)
    {
        var percent = (long)(standing.Share * 100);
        if (standing.IsFull)
        {
            log.QuotaIsFull(standing.Quota.Lane, standing.Quota.Pattern, standing.FreesAt!.Value.UtcDateTime.ToString("u"));
        }
        else
        {
            log.QuotaWarns(standing.Quota.Lane, standing.Quota.Pattern, percent);
        }
    }

    private QuotaUse[] InProgress()
    {
        lock (_lock)
        {
            return [.. _open];
        }
    }

    /// <summary>Goes on from what the store knew at one moment, and adds what was noted since.</summary>
    /// <param name="turn">What was asked for later stays, whichever is done first.</param>
    private void TakeUp(QuotaSnapshot snapshot, long turn)
    {
        lock (_lock)
        {
            if (turn < _turnInForce)
            {
                return;
            }

            var now = Now();
            foreach (var (counter, seen) in snapshot.Counted)
            {
                counter.SetBack(now);
                counter.MoveTo(now);
                seen.ForEach(one => counter.Take(one, now));
            }

            _counters = [.. snapshot.Counted.Select(one => one.Counter)];
            _turnInForce = turn;
            foreach (var use in _open)
            {
                use.IsRecorded = snapshot.Recorded.Contains(use);
                foreach (var counter in use.IsRecorded ? [] : CountersOf(use.Lane, use.Model))
                {
                    counter.Add(use.At, use.Counted);
                }
            }

            // One that is among the overshoots of the snapshot is the same shortage: it changes nothing.
            foreach (var (lane, model, at, retryAfter) in _tooMany)
            {
                foreach (var counter in CountersOf(lane, model))
                {
                    counter.NoteTooMany(at < now ? at : now, retryAfter);
                }
            }
        }
    }

    private IEnumerable<QuotaCounter> CountersOf(string lane, string model) => _counters.Where(counter => counter.Covers(lane, model));

    /// <summary>The clock, under the lock. One that was set back would leave the windows in a future in which nothing counts: they follow it at once, and what had left them meanwhile is counted anew.</summary>
    private DateTimeOffset Now()
    {
        var now = time.GetUtcNow();
        var back = _clock - now;
        if (back <= SetBackMin)
        {
            _clock = back > TimeSpan.Zero ? _clock : now;
            return now;
        }

        _clock = now;
        Array.ForEach(_counters, counter => counter.SetBack(now));
        _ = RecountAsync((long)back.TotalSeconds);
        return now;
    }

    private async Task RecountAsync(long secondsBack)
    {
        try
        {
            await ReloadAsync(_wanted);
            log.QuotasCountedAfterClock(secondsBack);
        }
        catch (StoreUnavailableException error)
        {
            log.QuotasNotCountedAfterClock(secondsBack, error.Message);
        }
    }

    /// <param name="now">A call that began while the clock was ahead takes nobody there again.</param>
    private QuotaStanding[] Look(DateTimeOffset now, Func<QuotaCounter, int> inFlight)
    {
        var clock = Now();
        var at = now < clock ? now : clock;
        return Array.ConvertAll(_counters, counter => counter.Look(at, inFlight(counter)));
    }

    private sealed record TooManySeen(string Lane, string Model, DateTimeOffset At, TimeSpan? RetryAfter);
}
