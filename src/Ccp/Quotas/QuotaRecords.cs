using Ccp.Configuration;
using Ccp.Store;

namespace Ccp.Quotas;

/// <summary>What the store knows of quotas: the records of calls that were served, and what lanes themselves refused.</summary>
internal static class QuotaRecords
{
    private const string TooMany = "429";
    private const string Fallback = "fallback";

    /// <summary>By so much clocks are corrected all the time.</summary>
    private static readonly TimeSpan LaterMin = TimeSpan.FromSeconds(1);

    /// <summary>A counter of all tokens as if ccp had run all the time. Reads at most the records of the window, a week in most cases.</summary>
    public static QuotaCounter Count(Database database, QuotaConfig quota, DateTimeOffset now)
    {
        var counter = new QuotaCounter(quota);
        counter.MoveTo(now);
        Fill(database, counter, counter.Rolling);
        Fill(database, counter, counter.Weekly);
        return counter;
    }

    /// <summary>Dates, once, what a clock that was ahead has dated later than now: else it would be as of now at each count.</summary>
    /// <returns>How many records were found.</returns>
    public static int NoteLater(Database database, DateTimeOffset now) => database.Run(
        "UPDATE request SET counted_at_ms = $1 WHERE at_ms > $2 AND counted_at_ms IS NULL",
        now.ToUnixTimeMilliseconds(),
        (now + LaterMin).ToUnixTimeMilliseconds());

    public static bool IsRecorded(Database database, string requestId) =>
        database.QueryFirst("SELECT count(*) FROM request WHERE id = $1", row => row.GetInt64(0), requestId) > 0;

    /// <returns>Oldest first. Samples of a window of another length teach nothing about this one.</returns>
    public static List<QuotaOvershoot> OvershootsOf(Database database, QuotaConfig quota)
    {
        var newest = database.Query(
            """
            SELECT at_ms, until_ms, rolling_tokens, weekly_tokens, rolling_ms FROM quota_overshoot
            WHERE lane = $1 AND model = $2 ORDER BY id DESC LIMIT $3
            """,
            row => new QuotaOvershoot(
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
                row.GetInt64(2),
                row.GetInt64(3),
                IsNew: row.GetInt64(4) == (long)quota.Rolling.TotalMilliseconds),
            quota.Lane,
            quota.Pattern,
            WarnThreshold.SamplesMax);
        newest.Reverse();
        return newest;
    }

    public static void Write(Database database, QuotaConfig quota, QuotaOvershoot seen)
    {
        if (seen.IsNew)
        {
            database.Run(
                "INSERT INTO quota_overshoot (at_ms, until_ms, lane, model, rolling_ms, rolling_tokens, weekly_tokens) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                seen.At.ToUnixTimeMilliseconds(),
                seen.Until.ToUnixTimeMilliseconds(),
                quota.Lane,
                quota.Pattern,
                (long)quota.Rolling.TotalMilliseconds,
                seen.RollingUsed,
                seen.WeeklyUsed);
            return;
        }

        database.Run(
            """
            UPDATE quota_overshoot SET until_ms = max(until_ms, $3)
            WHERE id = (SELECT max(id) FROM quota_overshoot WHERE lane = $1 AND model = $2)
            """,
            quota.Lane,
            quota.Pattern,
            seen.Until.ToUnixTimeMilliseconds());
    }

    public static void CountTooMany(Database database, string lane, string model, DateTimeOffset at) => CountEvent(database, lane, model, TooMany, at);

    /// <param name="lane">The one that failed.</param>
    public static void CountFallback(Database database, string lane, string model, DateTimeOffset at) => CountEvent(database, lane, model, Fallback, at);

    /// <summary>By lane and model, from the beginning of the hour that <paramref name="from"/> lies in.</summary>
    public static List<(string Lane, string Model, long TooMany, long Fallbacks)> Events(Database database, DateTimeOffset from) => database.Query(
        """
        SELECT lane, model, sum(CASE kind WHEN '429' THEN count ELSE 0 END), sum(CASE kind WHEN 'fallback' THEN count ELSE 0 END)
        FROM lane_event WHERE hour_ms >= $1 GROUP BY lane, model
        """,
        row => (row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3)),
        HourOf(from));

    public static void DeleteBefore(Database database, DateTimeOffset oldest)
    {
        database.Run("DELETE FROM lane_event WHERE hour_ms < $1", HourOf(oldest));
        database.Run("DELETE FROM quota_overshoot WHERE at_ms < $1 AND until_ms < $1", oldest.ToUnixTimeMilliseconds());
    }

    private static void CountEvent(Database database, string lane, string model, string kind, DateTimeOffset at) => database.Run(
        "INSERT INTO lane_event (hour_ms, lane, model, kind, count) VALUES ($1, $2, $3, $4, 1) ON CONFLICT DO UPDATE SET count = count + 1",
        HourOf(at),
        lane,
        model,
        kind);

    private static long HourOf(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / 3_600_000 * 3_600_000;

    private static void Fill(Database database, QuotaCounter counter, QuotaWindow? window)
    {
        if (window is null)
        {
            return;
        }

        database.Visit(
            """
            SELECT coalesce(counted_at_ms, at_ms) / $3, model, sum(input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + output_tokens)
            FROM request WHERE at_ms >= $1 AND lane = $2 GROUP BY 1, 2
            """,
            row =>
            {
                if (counter.Covers(counter.Quota.Lane, row.GetString(1)))
                {
                    window.Add(DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0) * window.BucketMs), row.GetInt64(2));
                }

                return true;
            },
            window.Oldest.ToUnixTimeMilliseconds(),
            counter.Quota.Lane,
            window.BucketMs);
    }
}
