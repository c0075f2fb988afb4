using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Ccp.Forwarding;
using Ccp.Quotas;
using Ccp.Telemetry;
using Ccp.Usage;

namespace Ccp.Admin;

/// <summary>What can be asked of the lanes, and the switch that takes all but the default one out of use. Errors: <see cref="AdminRefusedException"/>.</summary>
internal sealed class LaneOperations(Till till, Switchboard board)
{
    // A readiness check must not wait for a lane that is down, nor ask the lanes each second.
    private static readonly TimeSpan AnswersKept = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WaitForAnswers = TimeSpan.FromSeconds(1);

    private readonly UsableLanes _usable = new(till, board);
    private readonly Lock _asking = new();
    private (long At, IReadOnlyList<(string Lane, Task<LaneAnswer> Answer)> Answers)? _asked;

    public LanesView Show()
    {
        var config = board.Config.Now;
        var pausedBy = PausedBy(config);
        return new LanesView(pausedBy is not null, pausedBy, [.. config.Lanes.Select(lane => View(lane, pausedBy is not null))]);
    }

    public LanesView Pause(string actor)
    {
        Switch(true);
        till.Log.LanesSwitched("paused: everything goes to the default lane", actor);
        return Show();
    }

    public LanesView Resume(string actor)
    {
        Switch(false);
        var still = PausedBy(board.Config.Now);
        till.Log.LanesSwitched(still is null ? "resumed" : $"no longer paused by ccp pause, and paused still: {still} says so", actor);
        return still is not null
            ? throw AdminRefusedException.Conflict($"The lanes stay paused: {still} says so. Change it there{(still == Variable ? " and restart ccp" : "")}.")
            : Show();
    }

    public ReloadView Reload(string actor)
    {
        var outcome = board.Config.Reload(actor);
        return new ReloadView(outcome.Problems.Count == 0, outcome.Problems, outcome.Warnings, outcome.NeedRestart);
    }

    /// <summary>Audits the usage log, on a thread that may wait for the disk.</summary>
    public Task<UsageVerdictView> VerifyUsageAsync(AdminQuery query) => Task.Run(() =>
    {
        try
        {
            bool? isLicensed = query.Whole("licensed", 0, 1) == 1 ? true : null;
            var directory = board.Data.Resolve(till.Config.Logs.Directory);
            return UsageLogFiles.In(directory) is { Count: > 0 } files
                ? UsageVerdictView.Of(files, isLicensed)
                : throw new AdminRefusedException(404, $"There is no usage log in {directory}: no call has come yet, or logs.directory means another place.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw AdminRefusedException.Conflict($"The usage log cannot be read: {error.Message}");
        }
    });

    /// <summary>The lanes that can be used, and what they last answered, for <c>/readyz</c>; null when there is none.</summary>
    public async Task<IReadOnlyDictionary<string, string>?> ReachAsync()
    {
        var asked = AskUnlessKnown();
        if (asked.Count == 0)
        {
            return null;
        }

        await Task.WhenAny(Task.WhenAll(asked.Select(lane => lane.Answer)), Task.Delay(WaitForAnswers, till.Time));
        return asked.ToDictionary(lane => lane.Lane, lane => lane.Answer.IsCompletedSuccessfully ? lane.Answer.Result.Words : "has not answered yet", StringComparer.Ordinal);
    }

    /// <summary>In a few words; null when the configuration names no policy.</summary>
    public string? PolicySummary() => board.Policy?.Summary;

    /// <summary>Why the file as it is now is not what ccp works with; null when it is.</summary>
    public string? ConfigSummary() => board.Config.Last switch
    {
        { Problems: [var first, ..] } last => $"The file has {last.Problems.Count} {(last.Problems.Count == 1 ? "problem" : "problems")} and the configuration before it is in force. The first: {first}",
        { NeedRestart: { Count: > 0 } settings } => $"Changed in the file, and taken up by a restart only: {string.Join(", ", settings)}",
        _ => null,
    };

    private const string Variable = "OFFLOAD_PAUSED";

    private string? PausedBy(CcpConfig config) => board.Pause.IsOn ? "ccp pause" : !config.Routing.IsPaused ? null : config.Routing.IsPausedByVariable ? Variable : "paused in the configuration";

    private LaneView View(LaneConfig lane, bool isPaused)
    {
        var isDefault = lane.Name == BuiltInLanes.Anthropic;
        var now = till.Time.GetUtcNow();
        var access = _usable.AccessTo(lane);
        var state = isPaused && !isDefault ? "paused"
            : board.States.At(now).LanesDown.ContainsKey(lane.Name) ? "down"
            : access == LaneAccess.Nobody && !isDefault ? "no key"
            : !_usable.IsLicensed(lane) ? "license needed"
            : HeldBackBy(lane.Name, now) ?? access switch
            {
                LaneAccess.Everybody => "ready",
                LaneAccess.Subscribers => "for callers with a login of their own",
                _ => "for users with a key of their own",
            };
        return new LaneView(lane.Name, AddressOf(lane), HeaderOf(lane), lane.Key is not null, lane.Requires, isPaused && !isDefault, state);
    }

    /// <summary>What of the lane's quotas keeps calls away from it; null when nothing does. All but one that is used up do so only where there is a fallback.</summary>
    private string? HeldBackBy(string lane, DateTimeOffset now)
    {
        var words = till.Quotas.At(now).Where(standing => standing.Quota.Lane == lane).Select(standing => QuotaVerdict.AdviceOf(standing, now) switch
        {
            QuotaAdvice.Full => $"quota used up: {standing.Quota.Pattern}",
            QuotaAdvice.CoolingDown => $"cooling down: {standing.Quota.Pattern}",
            QuotaAdvice.Preempted => $"past the warning: {standing.Quota.Pattern}",
            _ => null,
        }).OfType<string>().ToList();
        return words.Count == 0 ? null : string.Join(", ", words);
    }

    public static string AddressOf(LaneConfig lane) => lane.BaseUrl.Authority + lane.BaseUrl.AbsolutePath.TrimEnd('/');

    private static string HeaderOf(LaneConfig lane) => lane.Header switch
    {
        LaneHeader.ApiKey => "x-api-key",
        LaneHeader.Authorization => "authorization",
        LaneHeader.Passthrough => "passthrough",
        _ => "auto",
    };

    private IReadOnlyList<(string Lane, Task<LaneAnswer> Answer)> AskUnlessKnown()
    {
        lock (_asking)
        {
            if (_asked is { } asked && till.Time.GetElapsedTime(asked.At) < AnswersKept)
            {
                return asked.Answers;
            }

            List<(string Lane, Task<LaneAnswer> Answer)> answers = [.. _usable.All.Select(lane => (lane.Name, board.Reach.AskAsync(lane)))];
            _asked = (till.Time.GetTimestamp(), answers);
            return answers;
        }
    }

    private void Switch(bool isPaused)
    {
        try
        {
            board.SetPause(isPaused);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new AdminRefusedException(503, $"The switch could not be written down, and nothing was changed: {error.Message}");
        }
    }
}
