using Ccp.Pricing;

namespace Ccp.Configuration.Sections;

/// <summary><c>[[quota]]</c>: how many tokens of a lane some models may use. All that fit a call count.</summary>
internal static class QuotaSection
{
    /// <summary>More than any provider serves, and little enough to be multiplied.</summary>
    private const long TokensMax = 1_000_000_000_000_000;

    /// <param name="recordsKept">How long request records are kept: what is counted must be there after a restart.</param>
    public static IReadOnlyList<QuotaConfig> Read(IReadOnlyList<ConfigTable> tables, IReadOnlyList<LaneConfig> lanes, TimeSpan recordsKept)
    {
        var linesOf = new Dictionary<string, int>();
        return [.. tables.Select(table => ReadQuota(table, lanes, recordsKept, linesOf))];
    }

    private static QuotaConfig ReadQuota(ConfigTable table, IReadOnlyList<LaneConfig> lanes, TimeSpan recordsKept, Dictionary<string, int> linesOf)
    {
        table.Require("model");
        var model = table.Text("model");
        if (model is not null && !Names.IsModel(model))
        {
            table.Refuse("model", "expected a model, or a pattern of models such as \"claude-haiku-*\"");
        }

        table.Require("lane");
        var lane = table.Text("lane");
        if (lane is not null && LaneSection.IsLane(table, "lane", lane, lanes) && model is not null)
        {
            Names.EnterOnce(table, "model", $"{model} {lane}", "a quota of this model on this lane", linesOf);
        }

        var rolling = table.Duration("rolling", TimeSpan.FromMinutes(1), TimeSpan.FromDays(31)) ?? TimeSpan.FromHours(5);
        var rollingTokens = table.WholeNumber("rolling_tokens", 0, TokensMax) ?? 0;
        var weeklyTokens = table.WholeNumber("weekly_tokens", 0, TokensMax) ?? 0;
        var reroute = table.Choice("reroute", ("hybrid", QuotaReroute.Hybrid), ("run_to_cap", QuotaReroute.RunToCap), ("preemptive", QuotaReroute.Preemptive)) ?? QuotaReroute.Hybrid;
        if (table.Has("cooldown") && reroute == QuotaReroute.RunToCap)
        {
            table.Refuse("cooldown", "with reroute = \"run_to_cap\" there is none: leave it out");
        }

        var quota = new QuotaConfig(
            model ?? "",
            lane ?? "",
            rolling,
            rollingTokens,
            weeklyTokens,
            ReadWarnAt(table),
            reroute,
            table.Duration("cooldown", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)) ?? TimeSpan.FromMinutes(5));
        CheckCaps(table, quota, recordsKept);
        table.RefuseUnknown();
        return quota;
    }

    private static void CheckCaps(ConfigTable table, QuotaConfig quota, TimeSpan recordsKept)
    {
        var (rollingTokens, weeklyTokens) = (quota.RollingTokens, quota.WeeklyTokens);
        if (rollingTokens == 0 && table.Has("rolling") && !table.Has("rolling_tokens"))
        {
            table.Refuse("rolling", "state rolling_tokens too: nothing is counted in this window");
        }
        else if (rollingTokens == 0 && weeklyTokens == 0 && !table.Has("rolling_tokens") && !table.Has("weekly_tokens"))
        {
            table.RequireOneOf("rolling_tokens", "weekly_tokens");
        }
        else if (rollingTokens == 0 && weeklyTokens == 0)
        {
            table.Refuse(table.Has("rolling_tokens") ? "rolling_tokens" : "weekly_tokens", "state rolling_tokens or weekly_tokens, above 0: without a cap there is no quota");
        }

        if (quota.Longest is var longest && longest > recordsKept)
        {
            table.Refuse(weeklyTokens > 0 && longest == QuotaConfig.Week ? "weekly_tokens" : "rolling", $"this is counted from the request records of {Quantities.Format(longest)}, and storage.request_records keeps {Quantities.Format(recordsKept)}");
        }
    }

    /// <returns>Null: learned.</returns>
    private static decimal? ReadWarnAt(ConfigTable table)
    {
        if (table.IsWord("warn_at", "auto"))
        {
            return null;
        }

        var share = table.Decimal("warn_at", "\"auto\", or a share", 1);
        if (share == NanoUsd.Zero)
        {
            table.Refuse("warn_at", "a warning that always stands says nothing: state a share above 0");
        }

        return share?.ToUsd() ?? 0.8m;
    }
}
