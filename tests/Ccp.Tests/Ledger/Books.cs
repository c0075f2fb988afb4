using System.Globalization;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Ccp.Usage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Ledger;

/// <summary>A store with a ledger in it, opened as the server opens it. Several may follow one another in the same folder.</summary>
internal sealed class Books : IAsyncDisposable
{
    public static readonly MasterKey Master = MasterKey.FromBytes([.. Enumerable.Range(1, MasterKey.SizeInBytes).Select(number => (byte)number)]);

    private Books(string path, ManualClock clock, NanoUsd overdraft)
    {
        Path = path;
        Clock = clock;
        Database = Database.OpenWriter(path, syncsEveryCommit: false);
        Chain = new EntryChain(Master);
        Book = new LedgerBook(Chain, clock);
        Recovery = new HoldRecovery(Book, RequestRecord.InsertFromHold);
        Database.Run("BEGIN IMMEDIATE");
        var charged = Recovery.SettleAll(Database);
        Recovered = (charged.Count, charged.Aggregate(NanoUsd.Zero, (sum, row) => sum + row.Charge));
        Database.Run("COMMIT");
        Writes = new WriteQueue(Database, clock, NullLogger.Instance);
        Ledger = new AccountLedger(Writes, Book, Recovery, overdraft, clock);
        using var reader = Database.OpenReader(path);
        Ledger.Load(reader);
    }

    public string Path { get; }

    public ManualClock Clock { get; }

    public Database Database { get; }

    public EntryChain Chain { get; }

    public LedgerBook Book { get; }

    public HoldRecovery Recovery { get; }

    /// <summary>What was settled while opening.</summary>
    public (int Count, NanoUsd Charged) Recovered { get; }

    public WriteQueue Writes { get; }

    public AccountLedger Ledger { get; }

    public static Books Open(TempFolder folder, ManualClock? clock = null, string name = "ccp.db", long overdraft = NanoUsd.PerDollar) =>
        new(folder[name], clock ?? new ManualClock(), new NanoUsd(overdraft));

    public async ValueTask DisposeAsync()
    {
        await Writes.DisposeAsync();
        Database.Dispose();
    }

    public async Task<long> NewAccountAsync(long balance = 0)
    {
        var account = await Writes.WriteAsync(database =>
        {
            database.Run("INSERT INTO account (opened_as, opened_at_ms) VALUES ('someone', 0)");
            return database.QueryFirst("SELECT last_insert_rowid()", row => row.GetInt64(0));
        });
        if (balance != 0)
        {
            await Ledger.PostAsync(account, EntryKind.Adjustment, new NanoUsd(balance), "opening", "test", "");
        }

        return account;
    }

    public Hold Place(long account, long amount, bool isFree = false, bool canEndEarly = true)
    {
        Assert.True(TryPlace(account, amount, isFree, canEndEarly).Allows(out var hold, out var refusal), refusal?.Message);
        return hold;
    }

    public Ccp.Refusals.Decision<Hold> TryPlace(long account, long amount, bool isFree = false, bool canEndEarly = true, long least = 0) =>
        Ledger.Place(account, RequestId.New(), new NanoUsd(amount), isFree, canEndEarly, least: new NanoUsd(least));

    /// <summary>Places a hold and puts it on disk, as for a call whose answer has begun.</summary>
    public async Task<Hold> ServeAsync(long account, long amount, long promptCharge = 0)
    {
        var hold = Place(account, amount);
        await hold.MakeDurableAsync(RowFor(hold, account, promptCharge));
        return hold;
    }

    public static HoldRow RowFor(Hold hold, long account, long promptCharge) => new(
        hold.Id.Value,
        account,
        new ManualClock().GetUtcNow(),
        hold.Amount,
        new NanoUsd(promptCharge / 2),
        new NanoUsd(promptCharge),
        new TokenUsage { Input = promptCharge / 10 },
        UserId: 1,
        "claude-opus-5-5",
        "anthropic",
        IsStream: true,
        Session: null,
        Agent: null,
        Rates: "{}");

    public static HoldProgress Progress(long charge) => new(new NanoUsd(charge / 2), new NanoUsd(charge), new TokenUsage { Output = charge }, default);

    public Task SettleAsync(Hold hold, long? charge) => hold.SettleAsync(charge is { } amount ? new NanoUsd(amount) : null, "a call", static _ => { });

    public AuditResult Audit()
    {
        using var reader = Database.OpenReader(Path);
        return new LedgerAudit(Chain).Run(reader);
    }

    public T Read<T>(string sql, Func<Microsoft.Data.Sqlite.SqliteDataReader, T> read, params object?[] values)
    {
        using var reader = Database.OpenReader(Path);
        return reader.QueryFirst(sql, read, values)!;
    }

    public long Count(string table) => Read($"SELECT count(*) FROM {table}", row => row.GetInt64(0));

    public IReadOnlyList<LedgerEntry> Entries(long account)
    {
        using var reader = Database.OpenReader(Path);
        return [.. LedgerBook.Newest(reader, account, limit: int.MaxValue, before: null).Reverse()];
    }

    public NanoUsd BalanceOnDisk(long account) => Read(
        "SELECT (SELECT coalesce(sum(amount_nano), 0) FROM entry WHERE account_id = $1) || ' ' || balance_nano FROM account WHERE id = $1",
        row =>
        {
            var parts = row.GetString(0).Split(' ');
            Assert.Equal(parts[0], parts[1]);
            return new NanoUsd(long.Parse(parts[0], CultureInfo.InvariantCulture));
        },
        account);

    /// <summary>What a crash leaves: the committed state of this moment, as a store of its own.</summary>
    public void CopyTo(string path)
    {
        using var reader = Database.OpenReader(Path);
        reader.Run("VACUUM INTO $1", path);
    }
}
