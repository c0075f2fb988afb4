using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Usage;

namespace Ccp.Admin;

/// <summary>What can be asked of lanes and their quotas. Errors: <see cref="AdminRefusedException"/>.</summary>
internal sealed class QuotaOperations(Till till, Switchboard board)
{
    private static readonly TimeSpan UsualPeriod = TimeSpan.FromHours(24);

    public QuotasView Show() => new([.. till.Quotas.Report(till.Time.GetUtcNow()).Select(QuotaView.Of)]);

    public async Task<LaneReportView> UsageAsync(AdminQuery query)
    {
        var now = till.Time.GetUtcNow();
        var since = query.Since("since", now) ?? now - UsualPeriod;
        var report = await Task.Run(() =>
        {
            using var database = Database.OpenReader(till.DatabasePath);
            return LaneReport.Read(database, since);
        });
        return new LaneReportView(report.From, report.IsComplete, [.. report.Lanes.Select(LaneUseView.Of)], Show().Quotas);
    }

    /// <summary>Takes up the configuration as it is by now, and counts all quotas anew from the records.</summary>
    public async Task<QuotasView> ReloadAsync(string actor)
    {
        if (!board.Config.CanReload)
        {
            throw AdminRefusedException.Conflict("No server runs here. Quotas are read, and counted from the records, whenever one starts.");
        }

        if (board.Config.Reload(actor) is { Problems: { Count: > 0 } problems })
        {
            throw AdminRefusedException.Conflict($"The configuration has problems, and the quotas stay as they were: {string.Join(' ', problems)}");
        }

        await till.Quotas.ReloadAsync(board.Config.Now.Quotas);
        till.Log.QuotasReloaded(board.Config.Now.Quotas.Count, actor);
        return Show();
    }
}
