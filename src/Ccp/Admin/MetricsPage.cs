using Ccp.Licenses;
using Ccp.Quotas;
using Ccp.Telemetry;

namespace Ccp.Admin;

/// <summary>The text of <c>/metrics</c>: what was counted, and how everything stands at this moment.</summary>
internal sealed class MetricsPage(Till till, CurrentLicense license, Switchboard board)
{
    public string Write()
    {
        var text = new PrometheusText();
        text.Begin("ccp_build_info", "gauge", "The version of ccp.");
        text.Sample(1, ("version", Product.Version));
        till.Metrics.Write(text);
        WriteLanes(text);
        WriteQuotas(text);
        text.Gauge("ccp_store_writable", "1 while the store takes writes; with 0 billed calls are refused.", till.Writes.Problem is null ? 1 : 0);
        text.Gauge("ccp_write_queue_length", "Writes that wait for the store.", till.Writes.Waiting);
        WriteLicense(text);
        WriteProcess(text);
        return text.ToString();
    }

    private void WriteLanes(PrometheusText text)
    {
        text.Begin("ccp_lane_circuit_open", "gauge", "1 while the lane is left alone because it failed again and again.");
        foreach (var (lane, isOpen) in board.Circuits.Open)
        {
            text.Sample(isOpen ? 1 : 0, ("lane", lane));
        }
    }

    private void WriteQuotas(PrometheusText text)
    {
        var standings = till.Quotas.Report(till.Time.GetUtcNow());
        if (standings.Count == 0)
        {
            return;
        }

        text.Begin("ccp_quota_used_ratio", "gauge", "Used of a quota's cap, by its model as configured; above 1 when calls in progress went beyond.");
        foreach (var standing in standings)
        {
            WriteWindow(text, standing, standing.Rolling, "rolling");
            WriteWindow(text, standing, standing.Weekly, "weekly");
        }

        WriteFlag(text, standings, "ccp_quota_warned", "1 while the warning of a quota stands.", standing => standing.IsWarned);
        WriteFlag(text, standings, "ccp_quota_blocked", "1 while a quota is used up and no new call that costs anything goes to its lane.", standing => standing.IsFull);
    }

    private static void WriteFlag(PrometheusText text, IReadOnlyList<QuotaStanding> standings, string name, string help, Func<QuotaStanding, bool> isSet)
    {
        text.Begin(name, "gauge", help);
        foreach (var standing in standings)
        {
            text.Sample(isSet(standing) ? 1 : 0, ("lane", standing.Quota.Lane), ("model", standing.Quota.Pattern));
        }
    }

    private static void WriteWindow(PrometheusText text, QuotaStanding standing, WindowStanding? window, string name)
    {
        if (window is not null)
        {
            text.Sample(Math.Round(window.Share, 6), ("lane", standing.Quota.Lane), ("model", standing.Quota.Pattern), ("window", name));
        }
    }

    /// <summary>Nothing in the Community edition.</summary>
    private void WriteLicense(PrometheusText text)
    {
        if (license.Look().Claims is not { } claims)
        {
            return;
        }

        text.Begin("ccp_license_features", "gauge", "1 for each feature that the license in force allows.");
        foreach (var feature in claims.Features.Distinct(StringComparer.Ordinal))
        {
            text.Sample(1, ("feature", feature));
        }

        text.Gauge("ccp_license_expires_timestamp_seconds", "When the license in force ends, in seconds since 1970.", claims.ExpiresAt.ToUnixTimeSeconds());
    }

    private void WriteProcess(PrometheusText text)
    {
        text.Gauge("process_start_time_seconds", "When the counters began, with the process, in seconds since 1970.", till.Metrics.StartedAt.ToUnixTimeMilliseconds() / 1000m);
        text.Gauge("process_resident_memory_bytes", "Memory in use.", Environment.WorkingSet);
        text.Gauge("process_open_fds", "Open files and sockets, without the one that counting takes.", Directory.GetFileSystemEntries("/proc/self/fd").Length - 1);
    }
}
