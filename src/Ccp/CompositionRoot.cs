using Ccp.Admin;
using Ccp.Cli;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Licenses;
using Ccp.Limits;
using Ccp.Listening;
using Ccp.Pricing;
using Ccp.Quotas;
using Ccp.Relay;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Thinking;
using Ccp.Usage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Ccp;

/// <summary>The till: store, users and ledger, opened and recovered. Enough for the command line; what the server is built around.</summary>
/// <remarks>Only one process at a time has a store open: the lock says so, and the kernel frees it with the process.</remarks>
internal sealed class Till : IAsyncDisposable
{
    private readonly StoreLock _lock;
    private readonly KeyVault _vault;
    private readonly Database _database;

    private Till(CcpConfig config, string path, MasterKey master, StoreLock held, Database database, UsageLog usage, TimeProvider time, ILogger log)
    {
        _lock = held;
        _database = database;
        Usage = usage;
        DatabasePath = path;
        Config = config;
        Time = time;
        Metrics = new Metrics(time.GetUtcNow());
        Log = log;
        Prices = PriceBook.With(config.Prices);
        Master = master;
        _vault = new KeyVault(master);
        Chain = new EntryChain(master);
        var book = new LedgerBook(Chain, time);
        var recovery = new HoldRecovery(book, RequestRecord.InsertFromHold);
        UserStore = new UserStore(_vault, config.Limits, time);
        Recover(database, recovery);
        QuotaBook.NoteLater(database, time, log);
        NewestRecordAt = RequestRecord.NewestAt(database);
        UserStore.AdoptFileUsers(database, config.Users);
        Users.Replace(UserStore.Load(database, config.Users));
        Admission = new Admission(Users, config.Auth, time, log);
        RequestRecord.Replay(database, History);
        Writes = new WriteQueue(database, time, log);
        Ledger = new AccountLedger(Writes, book, recovery, config.Billing.Overdraft, time);
        Quotas = new QuotaBook(path, Writes, time, log);
        using (var reader = Database.OpenReader(path))
        {
            Ledger.Load(reader);
            Quotas.Load(reader, config.Quotas);
        }

        Writes.AfterFailure = store =>
        {
            Ledger.Correct(store);
            Users.Replace(UserStore.Load(store, config.Users));
        };
    }

    public CcpConfig Config { get; }

    public TimeProvider Time { get; }

    public Metrics Metrics { get; }

    public ILogger Log { get; }

    public PriceBook Prices { get; }

    public MasterKey Master { get; }

    /// <summary>The file that the master key is in; null when it comes from the environment.</summary>
    public string? MasterKeyPath { get; private init; }

    public EntryChain Chain { get; }

    public UserStore UserStore { get; }

    public UserDirectory Users { get; } = new();

    public Admission Admission { get; }

    public ChargeHistory History { get; } = new();

    public WriteQueue Writes { get; }

    public AccountLedger Ledger { get; }

    public QuotaBook Quotas { get; }

    public UsageLog Usage { get; }

    /// <summary>The date of the newest request record that there was at the start; null when there was none.</summary>
    public DateTimeOffset? NewestRecordAt { get; }

    /// <summary>For reports, each of which opens a reader of its own.</summary>
    public string DatabasePath { get; }

    /// <exception cref="StoreUnavailableException">The store is in use, unreadable, or was made with another master key.</exception>
    /// <exception cref="InvalidOperationException">The master key cannot be used.</exception>
    public static Till Open(CcpConfig config, DataDirectory data, string? masterKey, TimeProvider time, ILogger log)
    {
        var path = data.Resolve(config.Storage.Path);
        var held = StoreLock.Take(path);
        Database? database = null;
        var usage = new UsageLog(config.Logs, data.Resolve(config.Logs.Directory), time, log);
        try
        {
            StoreRestore.RefuseInterrupted(path);
            var master = MasterKey.Load(masterKey, data.MasterKeyPath, mayMake: !File.Exists(path));
            database = Database.OpenWriter(path, config.Storage.SyncsEveryCommit);
            MasterKeyMark.Set(database, master);
            if (!MasterKeyMark.Fits(database, master))
            {
                throw new StoreUnavailableException("The master key does not belong to this store. Set CCP_MASTER_KEY, or restore master.key, to the one the store was made with.");
            }

            return new Till(config, path, master, held, database, usage, time, log) { MasterKeyPath = masterKey is null ? data.MasterKeyPath : null };
        }
        catch (SqliteException error)
        {
            Close();
            throw new StoreUnavailableException($"The store {path} cannot be used. {StoreFault.Describe(error)}", error);
        }
        catch
        {
            Close();
            throw;
        }

        void Close()
        {
            // Waits for the lines of what recovery has charged: that stands, whatever failed after it.
            Task.Run(async () => await usage.DisposeAsync()).GetAwaiter().GetResult();
            database?.Dispose();
            held.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Writes.DisposeAsync();
        await Usage.DisposeAsync();
        _database.Dispose();
        _vault.Dispose();
        _lock.Dispose();
    }

    private void Recover(Database database, HoldRecovery recovery)
    {
        database.Run("BEGIN IMMEDIATE");
        var charged = recovery.SettleAll(database);
        database.Run("COMMIT");
        if (charged.Count == 0)
        {
            return;
        }

        Log.Recovered(charged.Count, charged.Aggregate(NanoUsd.Zero, (sum, hold) => sum + hold.Charge).ToString());
        foreach (var hold in charged)
        {
            Usage.WriteRecovered(hold, UserStore.NameOf(database, hold.UserId));
        }
    }
}

/// <summary>The running proxy, built by hand from a checked configuration, in the order a call meets the parts.</summary>
internal sealed class CompositionRoot : IAsyncDisposable
{
    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HousekeepEvery = TimeSpan.FromHours(24);

    private readonly Till _till;
    private readonly Switchboard _lanes;
    private readonly ConfigWatch? _watch;
    private readonly ThinkingGuard _thinking;
    private readonly ITimer _checkpoint;
    private readonly ITimer _housekeeping;

    /// <param name="source">What the configuration was read from.</param>
    public CompositionRoot(Till till, DataDirectory data, TrustedRoots roots, CurrentLicense license, ConfigSource source)
    {
        _till = till;
        License = license;
        var config = till.Config;
        Active = new ActiveCalls(till.Time);
        _lanes = new Switchboard(till, data, roots, license, source.Result, source.Again is { } again ? () => again().Result : null);
        _thinking = new ThinkingGuard(() => _lanes.Config.Now, till.DatabasePath, till.Writes, till.Time);
        var forwarder = new Forwarder(_lanes.Clients, _lanes.Circuits, _lanes.MayGoTo, Active, _thinking, till.Time, till.Log);
        var closeout = new RelayCloseout(till.Writes, till.History, till.Usage, till.Ledger, config.Billing.WarnBelow, till.Metrics, till.Time, till.Log);
        var pipeline = new RelayPipeline(config, till.Admission, () => _lanes.Router, _lanes.States, till.Ledger, till.History, till.Quotas, new LaneAttempts(forwarder, new CredentialForms(), _thinking, till.Quotas, till.Time), closeout, till.Usage, till.Metrics, till.Time, till.Log);
        Api = new AdminApi(till, license, _lanes);
        var application = new CcpApplication(pipeline, new AdminEndpoint(Api, till.Admission, config.Server, data.SocketPath), config.Server, config.Auth, till.Metrics, till.Log);
        Host = new KestrelHost(config.Server, data.SocketPath, application, till.Time);
        _checkpoint = till.Time.CreateTimer(_ => _ = till.Ledger.CheckpointAsync(), null, CheckpointEvery, CheckpointEvery);
        var housekeeping = new Housekeeping(till);
        _housekeeping = till.Time.CreateTimer(_ => _ = housekeeping.RunAsync(), null, TimeSpan.Zero, HousekeepEvery);
        _watch = source.Again is null ? null : new ConfigWatch(source.Path, source.Stamp, () => Reload("a change of the file"), till.Time);
        _lanes.Policy?.Begin();
    }

    public ActiveCalls Active { get; }

    public AdminApi Api { get; }

    /// <summary>Asked for features while ccp runs; see <see cref="CurrentLicense.Grants"/>.</summary>
    public CurrentLicense License { get; }

    public KestrelHost Host { get; }

    /// <param name="asker">Who or what wants it, for the log.</param>
    public void Reload(string asker) => _lanes.Config.Reload(asker);

    /// <summary>Takes no new calls, lets open ones finish for as long as the operator allows, ends the rest with a word to the client.</summary>
    public async Task DrainAsync()
    {
        var drain = _till.Config.Server.Drain;
        _till.Log.Draining(Active.Count, drain.TotalSeconds);
        using var cut = new CancellationTokenSource();
        var stopped = Host.StopAsync(cut.Token);
        if (await Task.WhenAny(stopped, Task.Delay(drain, _till.Time)) != stopped)
        {
            Active.ShutDownAll();
            await Task.WhenAny(stopped, Task.Delay(TimeSpan.FromSeconds(2), _till.Time));
        }

        await cut.CancelAsync();
        await stopped;
    }

    public async ValueTask DisposeAsync()
    {
        _watch?.Dispose();
        await _checkpoint.DisposeAsync();
        await _housekeeping.DisposeAsync();
        Host.Dispose();
        Api.Dispose();
        License.Dispose();
        Active.Dispose();
        _lanes.Dispose();
        await _thinking.DisposeAsync();
    }
}
