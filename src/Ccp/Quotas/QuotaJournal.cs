using Ccp.Configuration;
using Ccp.Store;
using Ccp.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ccp.Quotas;

/// <summary>Writes down, behind the calls, what went wrong on lanes. Nobody waits for it.</summary>
internal sealed class QuotaJournal(WriteQueue writes, ILogger log)
{
    /// <param name="seen">The quotas that it is an overshoot of.</param>
    public void TooMany(string lane, string model, DateTimeOffset at, IReadOnlyList<(QuotaConfig Quota, QuotaOvershoot Seen)> seen) => _ = WriteAsync(database =>
    {
        QuotaRecords.CountTooMany(database, lane, model, at);
        foreach (var (quota, one) in seen)
        {
            QuotaRecords.Write(database, quota, one);
        }
    });

    public void Fallback(string lane, string model, DateTimeOffset at) => _ = WriteAsync(database => QuotaRecords.CountFallback(database, lane, model, at));

    private async Task WriteAsync(Action<Database> write)
    {
        try
        {
            await writes.WriteAsync(database =>
            {
                write(database);
                return true;
            });
        }
        catch (StoreUnavailableException error)
        {
            // Memory has it: only a restart would forget.
            log.QuotaNotWritten(error.Message);
        }
    }
}
