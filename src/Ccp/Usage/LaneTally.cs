using Ccp.Pricing;

namespace Ccp.Usage;

/// <summary>What a model did on a lane in some time.</summary>
/// <param name="StreamingRate">Output tokens a second, of streams, from the first byte to the last; null without one.</param>
/// <param name="WallRate">Output tokens a second from the arrival of a call to its end; null without a call that was timed.</param>
/// <param name="FastestHour">Of the day, UTC, by the streaming rate.</param>
/// <param name="TooMany">How often the lane itself answered 429.</param>
/// <param name="Fallbacks">How often another lane took over after this one had failed.</param>
internal sealed record LaneUse(
    string Lane,
    string Model,
    long Requests,
    TokenUsage Tokens,
    decimal? StreamingRate,
    decimal? WallRate,
    long? TtftP50Ms,
    long? TtftP95Ms,
    int? FastestHour,
    decimal? FastestHourRate,
    long TooMany,
    long Fallbacks);

/// <summary>One call as the report counts it.</summary>
/// <param name="TtftMs">Null when nothing came.</param>
internal readonly record struct TimedCall(DateTimeOffset At, bool IsStream, long LatencyMs, long? TtftMs, TokenUsage Tokens);

/// <summary>Adds the calls of one model on one lane up.</summary>
internal sealed class LaneTally(string lane, string model)
{
    private const int HoursOfDay = 24;

    private readonly List<long> _ttftMs = [];
    private readonly Pace[] _hours = new Pace[HoursOfDay];
    private TokenUsage _tokens;
    private Pace _streaming;
    private Pace _wall;
    private long _requests;

    public long TooMany { get; set; }

    public long Fallbacks { get; set; }

    public void Add(in TimedCall call)
    {
        _requests++;
        _tokens += call.Tokens;

        // A call whose end nobody saw has no times.
        if (call.LatencyMs > 0)
        {
            _wall.Add(call.Tokens.Output, call.LatencyMs);
        }

        if (call is { IsStream: true, TtftMs: { } ttft })
        {
            _ttftMs.Add(ttft);
            var streamMs = Math.Max(0, call.LatencyMs - ttft);
            _streaming.Add(call.Tokens.Output, streamMs);
            _hours[call.At.UtcDateTime.Hour].Add(call.Tokens.Output, streamMs);
        }
    }

    public LaneUse Sum()
    {
        _ttftMs.Sort();
        var hour = Enumerable.Range(0, HoursOfDay).Where(hour => _hours[hour].Rate is not null).OrderByDescending(hour => _hours[hour].Rate).Select(hour => (int?)hour).FirstOrDefault();
        return new LaneUse(
            lane,
            model,
            _requests,
            _tokens,
            _streaming.Rate,
            _wall.Rate,
            Percentile(50),
            Percentile(95),
            hour,
            hour is { } fastest ? _hours[fastest].Rate : null,
            TooMany,
            Fallbacks);
    }

    /// <summary>The smallest that so many of a hundred do not exceed.</summary>
    private long? Percentile(int percent) => _ttftMs.Count == 0 ? null : _ttftMs[((_ttftMs.Count * percent) + 99) / 100 - 1];

    private struct Pace
    {
        private long _tokens;
        private long _ms;

        public readonly decimal? Rate => _ms == 0 ? null : Math.Round(_tokens * 1000m / _ms, 1);

        public void Add(long tokens, long ms)
        {
            _tokens += tokens;
            _ms += ms;
        }
    }
}
