using Ccp.Configuration;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Usage;

namespace Ccp.Admin;

/// <summary>What can be asked of lanes and their quotas. Errors: <see cref="AdminRefusedException"/>.</summary>
/// <param name="readConfig">Reads the configuration anew; null when no server runs.</param>
internal sealed class QuotaOperations(Till till, Func<ConfigResult>? readConfig)
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

    /// <summary>Takes up the quotas that the configuration has by now, and only those, and counts all of them anew from the records.</summary>
    public async Task<QuotasView> ReloadAsync(string actor)
    {
        if (readConfig is null)
        {
            throw AdminRefusedException.Conflict("No server runs here. Quotas are read, and counted from the records, whenever one starts.");
        }

        var read = readConfig();
        if (read.Config is not { } config)
        {
            throw AdminRefusedException.Conflict($"The configuration has problems, and the quotas stay as they were: {string.Join(' ', read.Problems)}");
        }

        if (config.Quotas.FirstOrDefault(quota => till.Config.Lanes.All(lane => lane.Name != quota.Lane)) is { } early)
        {
            throw AdminRefusedException.Conflict($"The lane {early.Lane} is there after a restart only, and the quotas stay as they were.");
        }

        await till.Quotas.ReloadAsync(config.Quotas);
        till.Log.QuotasReloaded(config.Quotas.Count, actor);
        return Show();
    }
}
