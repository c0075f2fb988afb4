using Ccp.Pricing;
using Ccp.Quotas;
using Ccp.Store;

namespace Ccp.Usage;

/// <summary>What the lanes did since some moment: from the request records, which hold no message, and the counts of what went wrong.</summary>
/// <param name="From">The moment asked for; where there were more calls than are looked at, that of the oldest of those.</param>
/// <param name="IsComplete">False: older calls of the period were left out.</param>
internal sealed record LaneReport(DateTimeOffset From, bool IsComplete, IReadOnlyList<LaneUse> Lanes)
{
    /// <summary>About a third of a second's work.</summary>
    public const int CallsMax = 100_000;

    public static LaneReport Read(Database database, DateTimeOffset since, int callsMax = CallsMax)
    {
        var tallies = new SortedDictionary<(string Lane, string Model), LaneTally>();
        LaneTally TallyOf(string lane, string model) =>
            tallies.TryGetValue((lane, model), out var tally) ? tally : tallies[(lane, model)] = new LaneTally(lane, model);

        var (seen, oldest, isComplete) = (0, since, true);
        database.Visit(
            """
            SELECT lane, model, at_ms, is_stream, latency_ms, ttft_ms, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens
            FROM request WHERE at_ms >= $1 ORDER BY at_ms DESC LIMIT $2
            """,
            row =>
            {
                if (seen == callsMax)
                {
                    isComplete = false;
                    return false;
                }

                seen++;
                oldest = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2));
                TallyOf(row.GetString(0), row.GetString(1)).Add(new TimedCall(
                    oldest,
                    row.GetInt64(3) == 1,
                    row.GetInt64(4),
                    row.IsDBNull(5) ? null : row.GetInt64(5),
                    new TokenUsage(row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.GetInt64(9), row.GetInt64(10))));
                return true;
            },
            since.ToUnixTimeMilliseconds(),
            callsMax + 1L);
        var from = isComplete ? since : oldest;
        foreach (var (lane, model, tooMany, fallbacks) in QuotaRecords.Events(database, from))
        {
            var tally = TallyOf(lane, model);
            tally.TooMany = tooMany;
            tally.Fallbacks = fallbacks;
        }

        return new LaneReport(from, isComplete, [.. tallies.Values.Select(tally => tally.Sum())]);
    }
}
