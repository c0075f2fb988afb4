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
internal sealed class QuotaBook(WriteQueue writes, TimeProvider time, ILogger log)
{
    private readonly Lock _lock = new();

    /// <summary>Calls in progress and, while a rebuild goes on, those that ended meanwhile.</summary>
    private readonly HashSet<QuotaUse> _open = [];
    private QuotaCounter[] _counters = [];
    private int _rebuilds;

    /// <summary>Counts anew from the store. On the thread that owns the connection.</summary>
    public void Rebuild(Database database, IReadOnlyList<QuotaConfig> quotas)
    {
        var now = time.GetUtcNow();
        var counters = quotas.Select(quota => QuotaRecords.Read(database, quota, now)).ToArray();
        QuotaUse[] open;
        lock (_lock)
        {
            open = [.. _open];
        }

        // A call that opens from here on cannot have a record: this thread is the one that would write it.
        var recorded = open.Where(use => QuotaRecords.IsRecorded(database, use.RequestId)).ToHashSet();
        lock (_lock)
        {
            foreach (var use in _open)
            {
                use.IsRecorded = recorded.Contains(use);
                if (!use.IsRecorded)
                {
                    AddTo(counters, use, use.Counted);
                }
            }

            _counters = counters;
        }
    }

    /// <summary>Takes up other quotas, or the same, and counts them anew from the records, while calls run. No call is lost or counted twice.</summary>
    /// <exception cref="StoreUnavailableException">The store failed; everything is as before.</exception>
    public async Task ReloadAsync(IReadOnlyList<QuotaConfig> quotas)
    {
        lock (_lock)
        {
            _rebuilds++;
        }

        try
        {
            await writes.WriteAsync(database =>
            {
                Rebuild(database, quotas);
                return true;
            });
        }
        finally
        {
            lock (_lock)
            {
                _rebuilds--;
                if (_rebuilds == 0)
                {
                    _open.RemoveWhere(use => use.IsClosed);
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
            return _counters.Length == 0 ? [] : Array.ConvertAll(_counters, counter => counter.Look(now));
        }
    }

    /// <summary>As <see cref="At"/>, with the calls in progress.</summary>
    public IReadOnlyList<QuotaStanding> Report(DateTimeOffset now)
    {
        lock (_lock)
        {
            return Array.ConvertAll(_counters, counter => counter.Look(now, _open.Count(use => !use.IsClosed && counter.Covers(use.Lane, use.Model))));
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

            var now = time.GetUtcNow();
            foreach (var counter in _counters.Where(counter => counter.Covers(use.Lane, use.Model)))
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
        var now = time.GetUtcNow();
        (QuotaConfig Quota, QuotaOvershoot Seen)[] seen;
        lock (_lock)
        {
            seen = [.. _counters.Where(counter => counter.Covers(lane, model)).Select(counter => (counter.Quota, counter.NoteTooMany(now, retryAfter)))];
        }

        foreach (var (quota, one) in seen.Where(one => one.Seen.IsNew && one.Quota.Reroute != QuotaReroute.RunToCap))
        {
            log.QuotaCoolsDown(quota.Lane, quota.Pattern, (long)Math.Ceiling((one.Until - now).TotalSeconds));
        }

        _ = WriteAsync(database =>
        {
            QuotaRecords.CountTooMany(database, lane, model, now);
            foreach (var (quota, one) in seen)
            {
                QuotaRecords.Write(database, quota, one);
            }
        });
    }

    /// <summary>A call went on to another lane after this one had failed.</summary>
    public void NoteFallback(string lane, string model)
    {
        var now = time.GetUtcNow();
        _ = WriteAsync(database => QuotaRecords.CountFallback(database, lane, model, now));
    }

    private static void AddTo(QuotaCounter[] counters, QuotaUse use, long tokens)
    {
        foreach (var counter in counters.Where(counter => counter.Covers(use.Lane, use.Model)))
        {
            counter.Add(use.At, tokens);
        }
    }

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

    private async Task WriteAsync(Action<Database> write)
    {
        try
        {
            await writes.WriteAsync(database =>
            {
                write(database);
                return true;
            });
        }
        catch (StoreUnavailableException error)
        {
            // Memory has it: only a restart would forget.
            log.QuotaNotWritten(error.Message);
        }
    }
}
