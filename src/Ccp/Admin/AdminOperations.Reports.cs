using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Store;
using Ccp.Usage;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    private const long LinesMax = 1000;
    private const long LinesUsual = 100;

    public async Task<OwnUsageView> OwnUsageAsync(User user, AdminQuery query)
    {
        const long DaysMax = 3660;
        var days = query.Whole("days", 1, DaysMax) ?? 30;

        // Today is the last of them.
        var from = new DateTimeOffset(till.Time.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero).AddDays(1 - days);
        var lines = await ReadAsync(database => UsageQueries.OfAccount(database, user.AccountId, from));
        return new OwnUsageView(user.Name, days, lines.ConvertAll(line => new OwnUsageLineView(
            line.Day,
            line.Model,
            line.Sums.Requests,
            line.Sums.Tokens.Input,
            line.Sums.Tokens.Output,
            line.Sums.Tokens.CacheRead,
            line.Sums.Tokens.CacheWrite,
            line.Sums.Tokens.Total,
            line.Sums.Charge)));
    }

    /// <summary>The users by name, and the deleted ones who used something in the period.</summary>
    public async Task<Dictionary<string, UserUsageView>> UsageAsync(AdminQuery query)
    {
        var name = query.Text("username");
        var (from, to) = (query.Start("startDate") ?? DateTimeOffset.UnixEpoch, query.End("endDate") ?? DateTimeOffset.MaxValue);
        var lines = await ReadAsync(database =>
        {
            RefuseUnknown(database, name);
            return UsageQueries.ByUser(database, name, from, to);
        });
        return lines
            .Where(line => !line.IsDeleted || line.Sums.Requests > 0)
            .ToDictionary(line => UsageQueries.ShownName(line.Name, line.AccountId, line.IsDeleted), View, StringComparer.Ordinal);
    }

    public async Task<List<UsageGroupView>> UsageByAsync(AdminQuery query)
    {
        var grouping = (query.Text("by") ?? "day") switch
        {
            "day" => UsageGrouping.Day,
            "model" => UsageGrouping.Model,
            "user" => UsageGrouping.User,
            "session" => UsageGrouping.Session,
            _ => throw AdminRefusedException.Malformed("by must be day, model, user or session."),
        };
        var name = query.Text("username");
        var from = query.Since("since", till.Time.GetUtcNow()) ?? DateTimeOffset.UnixEpoch;
        var groups = await ReadAsync(database =>
        {
            RefuseUnknown(database, name);
            return UsageQueries.By(database, grouping, name, from, DateTimeOffset.MaxValue);
        });
        return groups.ConvertAll(group => View(grouping, group));
    }

    public async Task<List<LedgerLine>> EntriesAsync(AdminQuery query)
    {
        var (name, limit, before) = (query.Text("username"), query.Whole("limit", 1, LinesMax) ?? LinesUsual, query.Whole("before", 1, long.MaxValue));
        return await ReadAsync(database =>
        {
            RefuseUnknown(database, name);
            return UsageQueries.Entries(database, name, limit, before);
        });
    }

    public async Task<List<RequestLine>> RequestsAsync(AdminQuery query)
    {
        var (name, limit, before) = (query.Text("username"), query.Whole("limit", 1, LinesMax) ?? LinesUsual, query.Text("before"));
        return await ReadAsync(database =>
        {
            RefuseUnknown(database, name);
            return UsageQueries.Requests(database, name, limit, before);
        });
    }

    public async Task<LedgerVerdictView> VerifyAsync()
    {
        var found = await ReadAsync(database =>
        {
            // One snapshot: a charge that came between the entries and the balances would look like a wrong sum.
            database.Run("BEGIN");
            return new LedgerAudit(till.Chain).Run(database);
        });
        return new LedgerVerdictView(found.Problem is null, found.Entries, found.Accounts, found.HeadId, Convert.ToHexStringLower(found.HeadHash), found.Problem);
    }

    private static void RefuseUnknown(Database database, string? name)
    {
        if (name is not null && !UsageQueries.IsKnown(database, name))
        {
            throw AdminRefusedException.NoSuchUser("There is no user of this name, and there was none.");
        }
    }

    private UserUsageView View(UserUsage line) => new(
        line.Sums.Requests,
        line.Sums.Tokens.Input,
        line.Sums.Tokens.Output,
        line.Sums.Tokens.CacheRead,
        line.Sums.Tokens.CacheWrite,
        line.Sums.Tokens.Total,
        line.Sums.Charge,
        line.Sums.Cost,
        till.Ledger.StateOf(line.AccountId).Balance,
        line.IsDeleted);

    private static UsageGroupView View(UsageGrouping grouping, UsageGroup group) => new(
        grouping == UsageGrouping.Day ? group.Key : null,
        grouping == UsageGrouping.Model ? group.Key : null,
        grouping == UsageGrouping.User ? group.Key : null,
        grouping == UsageGrouping.Session ? group.Key : null,
        group.Sums.Requests,
        group.Sums.Tokens.Input,
        group.Sums.Tokens.Output,
        group.Sums.Tokens.CacheRead,
        group.Sums.Tokens.CacheWrite,
        group.Sums.Tokens.Total,
        group.Sums.Charge,
        group.Sums.Cost);
}
