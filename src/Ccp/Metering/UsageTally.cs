using Ccp.Pricing;

namespace Ccp.Metering;

/// <summary>What an answer has been said to use so far: reports merged field by field, and the text that came, for when the last report does not.</summary>
/// <remarks>
/// Every report is a running total, so the latest that names a field wins, upwards or downwards; adding them would bill twice.
/// Errors: none. A number that cannot be true is left out, and <see cref="IsSuspect"/> says so.
/// </remarks>
internal sealed class UsageTally
{
    private ReportedTokens _latest;
    private IReadOnlyList<UsageIteration> _iterations = [];
    private TokenUsage _reported;
    private long _webSearches;
    private string? _serviceTier;
    private string? _inferenceGeo;
    private string? _speed;
    private long _textBytes;
    private long _announcedTokens;

    public bool IsSuspect { get; private set; }

    /// <summary>Whether the numbers are the last ones: then they stand as they are, and no estimate raises them.</summary>
    public bool IsFinal { get; set; }

    public TokenUsage Tokens => _reported with { Output = Output };

    /// <summary>As reported so far.</summary>
    public PriceTerms Terms => new(_inferenceGeo, _speed);

    private long Output => IsFinal ? _reported.Output : Math.Max(_reported.Output, OutputEstimate);

    /// <summary>Tokens the content seen so far stands for, at 3.2 bytes each, rounded up once; hidden thinking as it was announced.</summary>
    private long OutputEstimate => Math.Min(ReportedTokens.TokensMax, (((_textBytes * 10) + 31) / 32) + _announcedTokens);

    /// <param name="decodedBytes">Text, thinking or tool input.</param>
    public void AddText(long decodedBytes) => _textBytes += decodedBytes;

    /// <summary>Adds thinking that the client is not shown: the stream announces its size in steps.</summary>
    public void AddAnnounced(long? tokens, bool isSuspect)
    {
        IsSuspect |= isSuspect;
        _announcedTokens += tokens ?? 0;
    }

    /// <returns>Whether the report can be an answer's last: it says how much was generated.</returns>
    public bool Merge(in ReportedUsage usage)
    {
        IsSuspect |= usage.IsSuspect;
        _serviceTier = usage.ServiceTier ?? _serviceTier;
        _inferenceGeo = usage.InferenceGeo ?? _inferenceGeo;
        _speed = usage.Speed ?? _speed;

        // Some providers send zeros where they mean "not yet": nothing but zeros never replaces anything.
        if (!usage.HasNonZero)
        {
            _webSearches = Math.Max(usage.WebSearches ?? 0, _webSearches);

            // As a last word it is believed only of an answer without content; otherwise content would be served for nothing.
            return usage.Tokens.Output is not null && OutputEstimate == 0;
        }

        _webSearches = usage.WebSearches ?? _webSearches;
        _iterations = usage.Iterations ?? _iterations;
        MergeTokens(usage.Tokens);
        _reported = _latest.ToUsage();
        if (_iterations.Count > 0)
        {
            _reported = default;
            foreach (var pass in _iterations)
            {
                _reported += pass.Tokens;
            }
        }

        return usage.Tokens.Output is not null || usage.Iterations is { Count: > 0 };
    }

    public MeteredUsage ToUsage() => new(Tokens, IterationsWithEstimate(), _webSearches, _serviceTier, _inferenceGeo, _speed);

    private void MergeTokens(in ReportedTokens tokens)
    {
        _latest.Input = tokens.Input ?? _latest.Input;
        _latest.CacheRead = tokens.CacheRead ?? _latest.CacheRead;
        _latest.Output = tokens.Output ?? _latest.Output;
        if (tokens.CacheWrite5m is not null || tokens.CacheWrite1h is not null)
        {
            // A report with the split speaks for all cache writes, whether or not it repeats their sum.
            _latest.CacheWrite5m = tokens.CacheWrite5m ?? _latest.CacheWrite5m;
            _latest.CacheWrite1h = tokens.CacheWrite1h ?? _latest.CacheWrite1h;
            _latest.CacheWrite = tokens.CacheWrite;
        }
        else if (tokens.CacheWrite is { } total)
        {
            // The last report usually repeats the sum alone. The split still holds unless it is more than there is now.
            var known = (_latest.CacheWrite5m ?? 0) + (_latest.CacheWrite1h ?? 0);
            _latest.CacheWrite5m = known > total ? null : _latest.CacheWrite5m;
            _latest.CacheWrite1h = known > total ? null : _latest.CacheWrite1h;
            _latest.CacheWrite = total;
        }
    }

    /// <summary>Passes are priced one by one, so an estimate above their sum belongs to the one still running: the last.</summary>
    private IReadOnlyList<UsageIteration> IterationsWithEstimate()
    {
        var missing = Output - _reported.Output;
        if (_iterations.Count == 0 || missing == 0)
        {
            return _iterations;
        }

        var running = _iterations[^1];
        var tokens = running.Tokens with { Output = running.Tokens.Output + missing };
        return [.. _iterations.Take(_iterations.Count - 1), running with { Tokens = tokens }];
    }
}
