using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Configuration;

/// <summary>What became of a look at the configuration.</summary>
/// <param name="Problems">Each a line; when there is one, nothing was changed.</param>
/// <param name="Warnings">Each a line.</param>
/// <param name="NeedRestart">Settings that were changed in the file and count from the next start on.</param>
internal sealed record ReloadOutcome(IReadOnlyList<string> Problems, IReadOnlyList<string> Warnings, IReadOnlyList<string> NeedRestart);

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
    private volatile ReloadOutcome _last = new([], [], []);
    private Action<CcpConfig>? _follow;

    /// <param name="started">What ccp was started with.</param>
    /// <param name="read">Reads it again; null where nothing can be read again.</param>
    public LiveConfig(ConfigResult started, Func<ConfigResult>? read, ILogger log)
    {
        _started = started;
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

            var outcome = OutcomeOf(_read(), out var config);
            _last = outcome;
            if (config is null)
            {
                foreach (var problem in outcome.Problems)
                {
                    _log.ConfigRefused(problem);
                }

                return outcome;
            }

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
        config = read.Config;
        return config is null
            ? new ReloadOutcome([.. read.Problems.Select(problem => problem.ToString())], [], [])
            : new ReloadOutcome(
                [],
                [.. read.Warnings.Select(warning => warning.ToString())],
                [.. read.Stated.DifferencesFrom(_started.Stated).Where(name => !TakenUp.Contains(name))]);
    }
}
