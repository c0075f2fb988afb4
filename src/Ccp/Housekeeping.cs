using Ccp.Ledger;
using Ccp.Quotas;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Usage;
using Microsoft.Data.Sqlite;

namespace Ccp;

/// <summary>
/// At the start and once a day: old request records go, the ledger's head is logged, so that a cut-off tail shows against the log, and the
/// whole store is read for damage.
/// </summary>
internal sealed class Housekeeping(Till till)
{
    private readonly long _startedTimestamp = till.Time.GetTimestamp();
    private readonly DateTimeOffset _newestAtStart = till.NewestRecordAt ?? till.Time.GetUtcNow();

    /// <summary>What is older goes. It must be old by the clock, and by the newest record of the start and the time since: a clock that is ahead makes nothing old.</summary>
    private DateTimeOffset Oldest
    {
        get
        {
            var now = till.Time.GetUtcNow();
            var byRecords = _newestAtStart + till.Time.GetElapsedTime(_startedTimestamp);
            return (now < byRecords ? now : byRecords) - till.Config.Storage.RequestRecordsKept;
        }
    }

    public async Task RunAsync()
    {
        await Task.Factory.StartNew(LookForDamage, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var oldest = Oldest;
        try
        {
            var head = await till.Writes.WriteAsync(database =>
            {
                RequestRecord.DeleteBefore(database, oldest);
                QuotaRecords.DeleteBefore(database, oldest);
                return LedgerBook.Newest(database, account: null, limit: 1, before: null);
            });
            if (head is [var last])
            {
                till.Log.LedgerHead(last.Id, Convert.ToHexStringLower(last.Hash));
            }
        }
        catch (StoreUnavailableException)
        {
            // The store has already said what is wrong; tomorrow is early enough for this.
        }
    }

    /// <summary>Beside the serving, on a thread of its own: a large store takes seconds to read.</summary>
    private void LookForDamage()
    {
        try
        {
            using var reader = Database.OpenReader(till.DatabasePath);
            if (reader.FindDamage(isThorough: false) is { } damage)
            {
                till.Writes.ReportDamage(damage);
            }
        }
        catch (Exception error) when (error is SqliteException or StoreUnavailableException)
        {
            till.Log.StoreNotChecked(StoreFault.Describe(error));
        }
    }
}
