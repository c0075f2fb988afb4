using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Licenses;
using Ccp.Policies;
using Ccp.Routing;
using Ccp.Store;
using Ccp.Telemetry;

namespace Ccp;

/// <summary>What decides where calls go, and changes while ccp runs: lanes and routes of the file, the policy, the pause; and the clients that reach the lanes.</summary>
/// <remarks>The server routes by it; the command line looks at it and throws its switch when no server runs.</remarks>
internal sealed class Switchboard : IDisposable
{
    private const string PauseFile = "paused";
    private const string PolicyFile = "policy.cache";

    private readonly Lock _change = new();
    private readonly Till _till;
    private volatile Router _router;

    /// <summary>Those last counted, or being counted; null when that failed, and whatever comes next is to be counted.</summary>
    private volatile IReadOnlyList<QuotaConfig>? _quotas;

    /// <param name="started">The configuration as it was read.</param>
    /// <param name="again">Reads it again; null where nothing is reloaded.</param>
    public Switchboard(Till till, DataDirectory data, TrustedRoots roots, CurrentLicense license, ConfigResult? started = null, Func<ConfigResult>? again = null)
    {
        var config = till.Config;
        _till = till;
        _quotas = config.Quotas;
        Data = data;
        Roots = roots;
        License = license;
        Config = new LiveConfig(started ?? new ConfigResult(config, [], [], []), again, till.Log);
        Clients = new UpstreamClients(config, roots);
        Reach = new LaneReach(Clients, till.Time);
        Circuits = new LaneCircuits(config.Lanes, till.Time, till.Log);
        States = new RoutingStates(config, license.Grants, Circuits, till.Quotas.At);
        _router = new Router(config, till.Prices);
        Pause = new PauseSwitch(data.Resolve(PauseFile));
        if (Pause.IsOn)
        {
            States.Change(state => state with { IsPaused = true });
            till.Log.LanesSwitched("are paused since before this start", "ccp pause");
        }

        Policy = config.Policy.Source is { } source
            ? new CurrentPolicy(
                config.Policy,
                new PolicyFetch(source.Contains("://", StringComparison.Ordinal) ? source : data.Resolve(source), config.Server.UpstreamProxy, roots, till.Time),
                new PolicyCache(data.Resolve(PolicyFile)),
                () => [.. Config.Now.Lanes.Select(lane => lane.Name)],
                routes => States.Change(state => state with { PolicyRoutes = routes }),
                till.Time,
                till.Log)
            : null;
        Config.Follow(Take);
    }

    public DataDirectory Data { get; }

    public TrustedRoots Roots { get; }

    public CurrentLicense License { get; }

    public LiveConfig Config { get; }

    public UpstreamClients Clients { get; }

    public LaneReach Reach { get; }

    public LaneCircuits Circuits { get; }

    public RoutingStates States { get; }

    public PauseSwitch Pause { get; }

    /// <summary>Null when the configuration names none.</summary>
    public CurrentPolicy? Policy { get; }

    /// <summary>Of the configuration in force.</summary>
    public Router Router => _router;

    /// <summary>Whether calls may go to a lane at this moment, for one that was routed a while ago.</summary>
    public bool MayGoTo(LaneConfig lane) => _router.StillAllows(lane, States.At(_till.Time.GetUtcNow()));

    /// <exception cref="IOException">It could not be written down, and nothing was changed.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public void SetPause(bool isPaused)
    {
        lock (_change)
        {
            if (isPaused)
            {
                Pause.Pause();
            }
            else
            {
                Pause.Resume();
            }

            States.Change(state => state with { IsPaused = isPaused });
        }
    }

    public void Dispose()
    {
        Policy?.Dispose();
        Clients.Dispose();
    }

    private void Take(CcpConfig config)
    {
        Circuits.Follow(config.Lanes);
        States.Follow(config);
        _router = new Router(config, _till.Prices);
        if (_quotas?.SequenceEqual(config.Quotas) != true)
        {
            _quotas = config.Quotas;
            _ = ReloadQuotasAsync(config.Quotas);
        }

        // Its routes may lead to lanes that came or went.
        Policy?.Look();
    }

    /// <summary>Counts the records of the new quotas, beside the calls. Should the store fail, the old ones stay until the next reload.</summary>
    private async Task ReloadQuotasAsync(IReadOnlyList<QuotaConfig> quotas)
    {
        try
        {
            await _till.Quotas.ReloadAsync(quotas);
        }
        catch (StoreUnavailableException error)
        {
            _quotas = null;
            _till.Log.QuotasNotTakenUp(error.Message);
        }
    }
}
