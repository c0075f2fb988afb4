namespace Ccp.Telemetry;

/// <summary>What ccp counts while it runs, for <c>/metrics</c>. All of it starts at zero with the process; what must outlive it is in the ledger and in the usage log.</summary>
/// <remarks>In the path of a call a count is a look-up and an addition. Labels are lanes of the configuration and words of ccp's own: what clients send makes no new ones.</remarks>
internal sealed class Metrics(DateTimeOffset startedAt)
{
    private const decimal NanosPerDollar = 1_000_000_000;

    private readonly Counter _inFlight = new();
    private readonly Labelled<Counter> _calls = new();
    private readonly Labelled<Counter> _tokens = new();
    private readonly Labelled<Counter> _chargedNanoUsd = new();
    private readonly Labelled<Counter> _costNanoUsd = new();
    private readonly Labelled<Counter> _refusals = new();
    private readonly Labelled<Counter> _fallbacks = new();
    private readonly Labelled<Durations> _firstBytes = new();

    public DateTimeOffset StartedAt { get; } = startedAt;

    /// <summary>A call is in flight until this is disposed of, which must be the last of it: who sees that none is in flight sees the other numbers too.</summary>
    public CallInFlight CallBegins()
    {
        _inFlight.Add(1);
        return new CallInFlight(_inFlight);
    }

    /// <param name="lane">Empty for a call that was refused before it was decided where to send it.</param>
    /// <param name="outcome">The usage log's reason.</param>
    public void CountCall(string lane, string outcome) => _calls.Of(lane, outcome).Add(1);

    public void CountTokens(string lane, string kind, long tokens)
    {
        if (tokens > 0)
        {
            _tokens.Of(lane, kind).Add(tokens);
        }
    }

    public void CountMoney(string lane, long chargedNanoUsd, long costNanoUsd)
    {
        _chargedNanoUsd.Of(lane).Add(chargedNanoUsd);
        _costNanoUsd.Of(lane).Add(costNanoUsd);
    }

    public void CountRefusal(string code) => _refusals.Of(code).Add(1);

    /// <param name="lane">The one that was left.</param>
    public void CountFallback(string lane, string reason) => _fallbacks.Of(lane, reason).Add(1);

    public void NoteFirstByte(string lane, TimeSpan after) => _firstBytes.Of(lane).Add(after);

    public void Write(PrometheusText text)
    {
        text.Gauge("ccp_calls_in_flight", "Calls that ccp is working on.", _inFlight.Value);
        Write(text, "ccp_calls_total", "Calls that ended, by lane and by the reason that the usage log gives. No lane: refused before one was chosen.", _calls, 1, "lane", "outcome");
        Write(text, "ccp_tokens_total", "Tokens of calls that were served, as their request records have them.", _tokens, 1, "lane", "class");
        Write(text, "ccp_charged_usd_total", "What calls were charged when they ended, in US dollars.", _chargedNanoUsd, NanosPerDollar, "lane");
        Write(text, "ccp_upstream_cost_usd_total", "What the provider asks for the calls that were served, in US dollars.", _costNanoUsd, NanosPerDollar, "lane");
        Write(text, "ccp_refusals_total", "Calls that ccp itself said no to, also those that were none it knows.", _refusals, 1, "code");
        Write(text, "ccp_fallbacks_total", "Calls that went to another lane after this one had failed.", _fallbacks, 1, "lane", "reason");
        text.Begin("ccp_time_to_first_byte_seconds", "histogram", "From the arrival of a call to the first byte of the answer's body, by the lane that answered; what another lane wasted before is in it.");
        foreach (var (lane, _, durations) in _firstBytes.All)
        {
            text.Histogram(durations, "lane", lane);
        }
    }

    private static void Write(PrometheusText text, string name, string help, Labelled<Counter> counters, decimal unit, string first, string? second = null)
    {
        text.Begin(name, "counter", help);
        foreach (var (one, other, counter) in counters.All)
        {
            if (second is null)
            {
                text.Sample(counter.Value / unit, (first, one));
            }
            else
            {
                text.Sample(counter.Value / unit, (first, one), (second, other));
            }
        }
    }
}

internal readonly record struct CallInFlight(Counter Calls) : IDisposable
{
    public void Dispose() => Calls.Add(-1);
}
