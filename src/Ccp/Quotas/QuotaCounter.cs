using Ccp.Configuration;
using Ccp.Pricing;

namespace Ccp.Quotas;

/// <summary>How far a quota has been used, for the log: a line each time it comes so far.</summary>
internal enum QuotaLevel
{
    Fine,
    Warned,
    Full,
}

/// <summary>One quota as it is counted. Its owner, <see cref="QuotaBook"/>, locks.</summary>
internal sealed class QuotaCounter(QuotaConfig quota)
{
    /// <summary>A provider that asks for more than this is asked again all the same.</summary>
    private static readonly TimeSpan CooldownMax = QuotaConfig.Week;

    /// <summary>What comes so soon after a 429 is the same shortage, and no sample of its own.</summary>
    private static readonly TimeSpan ShortageMin = TimeSpan.FromMinutes(1);

    private readonly Queue<decimal> _shares = new();
    private QuotaLevel _said;
    private DateTimeOffset _tooManyAt;
    private DateTimeOffset _shortageEnds;
    private DateTimeOffset _cooldownUntil;
    private WarnThreshold _warning = WarnThreshold.Of(quota, []);

    public QuotaConfig Quota { get; } = quota;

    public QuotaWindow? Rolling { get; } = quota.RollingTokens > 0 ? new QuotaWindow(quota.Rolling) : null;

    public QuotaWindow? Weekly { get; } = quota.WeeklyTokens > 0 ? new QuotaWindow(QuotaConfig.Week) : null;

    public bool Covers(string lane, string model) => Quota.Lane == lane && ModelGlob.Matches(Quota.Pattern, model);

    public void Add(DateTimeOffset at, long tokens)
    {
        Rolling?.Add(at, tokens);
        Weekly?.Add(at, tokens);
    }

    public void MoveTo(DateTimeOffset now)
    {
        Rolling?.MoveTo(now);
        Weekly?.MoveTo(now);
    }

    /// <summary>The clock was set back: see <see cref="QuotaWindow.SetBack"/>. How long ago a 429 came that is dated later than now, nobody can tell: it keeps nothing away.</summary>
    public void SetBack(DateTimeOffset now)
    {
        Rolling?.SetBack(now);
        Weekly?.SetBack(now);
        if (_tooManyAt > now)
        {
            _tooManyAt = _shortageEnds = _cooldownUntil = default;
        }
    }

    public QuotaStanding Look(DateTimeOffset now, int inFlight = 0)
    {
        MoveTo(now);
        return new QuotaStanding(
            Quota,
            StandingOf(Rolling, Quota.RollingTokens),
            StandingOf(Weekly, Quota.WeeklyTokens),
            _warning,
            Quota.Reroute != QuotaReroute.RunToCap && _cooldownUntil > now ? _cooldownUntil : null,
            inFlight);
    }

    /// <returns>A level that was not reached when this was last asked; null when nothing is new.</returns>
    public QuotaLevel? Rise(QuotaStanding standing)
    {
        var level = standing.IsFull ? QuotaLevel.Full : standing.IsWarned ? QuotaLevel.Warned : QuotaLevel.Fine;
        var hasRisen = level > _said;

        // A little below the line is not worth another word when it is crossed once more.
        if (hasRisen || standing.Share < standing.Warning.At * 0.9m)
        {
            _said = level;
        }

        return hasRisen ? level : null;
    }

    /// <summary>The lane itself has said 429.</summary>
    /// <param name="retryAfter">As the lane has it; null when it did not say.</param>
    public QuotaOvershoot NoteTooMany(DateTimeOffset now, TimeSpan? retryAfter)
    {
        MoveTo(now);
        var pause = retryAfter ?? Quota.Cooldown;
        var until = now + (pause < CooldownMax ? pause : CooldownMax);
        var seen = new QuotaOvershoot(now, until, Rolling?.Used ?? 0, Weekly?.Used ?? 0, IsNew: now >= _shortageEnds);
        Take(seen, now);
        return seen;
    }

    /// <summary>Counts an overshoot, just seen or read back from the store, oldest first. One that is dated later than now, by a clock that was wrong, is a sample and no more.</summary>
    public void Take(QuotaOvershoot seen, DateTimeOffset now)
    {
        if (seen.At <= now)
        {
            _tooManyAt = Later(_tooManyAt, seen.At);
            _cooldownUntil = Later(_cooldownUntil, seen.Until);
            _shortageEnds = Later(_shortageEnds, Later(seen.Until, seen.At + ShortageMin));
        }

        if (!seen.IsNew)
        {
            return;
        }

        _shares.Enqueue(Math.Max(ShareOf(seen.RollingUsed, Quota.RollingTokens), ShareOf(seen.WeeklyUsed, Quota.WeeklyTokens)));
        if (_shares.Count > WarnThreshold.SamplesMax)
        {
            _shares.Dequeue();
        }

        _warning = WarnThreshold.Of(Quota, _shares);
    }

    private static decimal ShareOf(long used, long cap) => cap > 0 ? (decimal)used / cap : 0;

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static WindowStanding? StandingOf(QuotaWindow? window, long cap) =>
        window is null ? null : new WindowStanding(window.Length, window.Used, cap, window.Used >= cap ? window.FreesAt(cap) : null);
}

/// <summary>A 429 of the lane itself, and how much of the quota was used by then.</summary>
/// <param name="Until">How long the lane is better left alone.</param>
/// <param name="IsNew">False: the shortage that began with another one goes on.</param>
internal sealed record QuotaOvershoot(DateTimeOffset At, DateTimeOffset Until, long RollingUsed, long WeeklyUsed, bool IsNew = true);
