using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Configuration;

/// <summary>What became of a look at the configuration.</summary>
/// <param name="Problems">Each a line; when there is one, nothing was changed.</param>
/// <param name="Warnings">Each a line.</param>
/// <param name="NeedRestart">Settings that were changed in the file and count from the next start on.</param>
internal sealed record ReloadOutcome(IReadOnlyList<string> Problems, IReadOnlyList<string> Warnings, IReadOnlyList<string> NeedRestart)
{
    /// <summary>Whether ccp would start with the file as it is. The problems are then that it runs, and say themselves what to do.</summary>
    public bool MayStart { get; init; } = true;
}

/// <summary>The configuration in force. Lanes, routes, quotas, the lanes' keys and the pause are taken up while ccp runs; all the rest stays as it was at the start.</summary>
/// <remarks>All or nothing: with one problem anywhere in the file, everything stays.</remarks>
internal sealed class LiveConfig
{
    /// <summary>The settings that are taken up, as they stand at the root of the file.</summary>
    private static readonly HashSet<string> TakenUp = ["paused", "lane", "route", "quota", "key"];

    private readonly Lock _change = new();
    private readonly ConfigResult _started;
    private readonly Func<ConfigResult>? _read;
    private readonly ILogger _log;
    private volatile CcpConfig _now;
    private ConfigResult _taken;
    private volatile ReloadOutcome _last = new([], [], []);
    private Action<CcpConfig>? _follow;

    /// <param name="started">What ccp was started with.</param>
    /// <param name="read">Reads it again; null where nothing can be read again.</param>
    public LiveConfig(ConfigResult started, Func<ConfigResult>? read, ILogger log)
    {
        _started = _taken = started;
        _read = read;
        _log = log;
        _now = started.Config!;
    }

    public CcpConfig Now => _now;

    /// <summary>False on the command line, where nothing runs that could take anything up.</summary>
    public bool CanReload => _read is not null;

    /// <summary>Of the last look.</summary>
    public ReloadOutcome Last => _last;

    /// <summary>Calls with each configuration from now on, one at a time; not with the present one.</summary>
    public void Follow(Action<CcpConfig> follow) => _follow = follow;

    /// <summary>What a reload would come to, without one.</summary>
    public ReloadOutcome Look()
    {
        lock (_change)
        {
            return _read is null ? _last : OutcomeOf(_read(), out _);
        }
    }

    /// <param name="asker">Who or what wants it, for the log.</param>
    public ReloadOutcome Reload(string asker)
    {
        lock (_change)
        {
            if (_read is null)
            {
                return _last;
            }

            var read = _read();
            var outcome = OutcomeOf(read, out var config);
            _last = outcome;
            if (config is null)
            {
                foreach (var problem in outcome.Problems)
                {
                    _log.ConfigRefused(problem);
                }

                return outcome;
            }

            _taken = read;
            _now = _started.Config! with { Lanes = config.Lanes, Routing = config.Routing, Quotas = config.Quotas, Keys = config.Keys };
            _follow?.Invoke(_now);
            _log.ConfigTakenUp(config.Lanes.Count, config.Routing.Routes.Count, config.Routing.IsPaused, asker);
            if (outcome.NeedRestart.Count > 0)
            {
                _log.ConfigNeedsRestart(string.Join(", ", outcome.NeedRestart));
            }

            return outcome;
        }
    }

    private ReloadOutcome OutcomeOf(ConfigResult read, out CcpConfig? config)
    {
        var problems = read.Config is null ? read.Problems : LossOf(read) is { } loss ? [loss] : UntilRestart.ProblemsOf(read.Config, _now);
        config = problems.Count == 0 ? read.Config : null;
        return config is null
            ? new ReloadOutcome([.. problems.Select(problem => problem.ToString())], [], []) { MayStart = read.Config is not null }
            : new ReloadOutcome(
                [],
                [.. read.Warnings.Select(warning => warning.ToString())],
                [.. read.Stated.DifferencesFrom(_started.Stated).Where(name => !TakenUp.Contains(name))]);
    }

    /// <summary>A file that is gone or empty says what nobody wrote: that every lane, route and quota of it is to go. It is more likely lost, or half written.</summary>
    private ConfigProblem? LossOf(ConfigResult read) => read switch
    {
        { File: null } when _taken.File is { } file => new ConfigProblem(file, null, null, "is not there any more: put it back, or restart ccp if the built-in default is meant"),
        { IsBlank: true } when !_taken.IsBlank => new ConfigProblem(read.File, null, null, "is empty, and was not: put back what it held, or write a comment into it if the defaults are meant"),
        _ => null,
    };
}
