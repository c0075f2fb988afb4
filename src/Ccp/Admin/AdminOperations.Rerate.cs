using System.Globalization;
using System.Security.Cryptography;
using Ccp.Pricing;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Usage;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    private const int RecordsPerPage = 512;

    /// <summary>Calls in progress wait for their holds behind at most this many corrections.</summary>
    private const int CorrectionsPerWrite = 64;

    private static readonly string[] PeriodMembers = ["since", "until"];

    private const string RunRule = "run must be 1 to 40 of the letters A-Z and a-z, digits, \"_\" and \"-\".";

    /// <summary>Prices recorded requests again with the price book of now and posts the differences; a dry run only adds them up.</summary>
    public async Task<RerateView> RerateAsync(ReadOnlyMemory<byte> json, string actor)
    {
        var body = new AdminBody(json, "since", "until", "username", "dryRun", "run");
        var period = new AdminQuery(PeriodMembers.ToDictionary(member => member, member => body.Text(member) ?? ""));
        var now = till.Time.GetUtcNow();
        var since = period.Since("since", now) ?? throw AdminRefusedException.Malformed("State since when: {\"since\":\"30d\"}, or a day such as 2026-11-22.");

        // A period ends before the moment it names: this one takes in what was admitted just now, and not what live traffic adds meanwhile.
        var until = period.End("until") ?? now.AddMilliseconds(1);
        var isDry = body.Flag("dryRun") ?? false;
        var run = body.Text("run") ?? NewRun(now);
        if (run.Length is 0 or > 40 || !run.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            throw AdminRefusedException.Malformed(RunRule);
        }

        var name = body.Text("username");
        await ReadAsync(database =>
        {
            RefuseUnknown(database, name);
            return true;
        });
        var (tally, accounts) = (new RerateTally(), new Dictionary<long, string>());
        await RerateAsync(new RerateOrder(name, since, until, isDry, run, actor), tally, accounts);
        var view = View(run, isDry, since, until, tally, BelowZero(accounts));
        if (!isDry)
        {
            till.Log.Rerated(run, view.Corrected, view.DifferenceDollars.ToString(), actor);
        }

        return view;
    }

    private async Task RerateAsync(RerateOrder order, RerateTally tally, Dictionary<long, string> accounts)
    {
        // One configuration from the first page to the last, whatever is reloaded meanwhile.
        var rerating = new Rerating(inForce(), till.Prices);
        PricedRequest? last = null;
        while (true)
        {
            var page = await ReadAsync(database => PricedRequest.Page(database, order.Name, order.Since, order.Until, last, RecordsPerPage));
            if (page.Count == 0)
            {
                return;
            }

            foreach (var group in page.Chunk(CorrectionsPerWrite))
            {
                var findings = order.IsDry
                    ? await ReadAsync(database => Array.ConvertAll(group, request => rerating.Weigh(database, request)))
                    : await CorrectAsync(rerating, group, order);
                foreach (var (request, found) in group.Zip(findings))
                {
                    tally.Add(request, found);
                    accounts[request.AccountId] = request.Username;
                }
            }

            last = page[^1];
        }
    }

    /// <summary>One group in one write: it stands whole or not at all.</summary>
    private async Task<RerateFinding[]> CorrectAsync(Rerating rerating, PricedRequest[] group, RerateOrder order)
    {
        try
        {
            return await till.Writes.WriteAsync(
                database => Array.ConvertAll(group, request => rerating.Correct(database, till.Ledger, request, order.Run, order.Actor)),
                findings => Count(group, findings));
        }
        catch (StoreUnavailableException error)
        {
            throw new AdminRefusedException(503, $"{error.Message} The rerate stopped on its way; the same command with --run {order.Run} completes it, and corrects nothing twice.");
        }
    }

    private void Count(PricedRequest[] group, RerateFinding[] findings)
    {
        foreach (var (request, found) in group.Zip(findings))
        {
            if (found.Outcome == RerateOutcome.Corrected)
            {
                till.Ledger.Count(request.AccountId, found.Taken - found.WouldBe);
            }
        }
    }

    private static string NewRun(DateTimeOffset now) =>
        now.UtcDateTime.ToString("yyyyMMdd-", CultureInfo.InvariantCulture) + RandomNumberGenerator.GetHexString(8, lowercase: true);

    private List<string> BelowZero(Dictionary<long, string> accounts) =>
        [.. accounts.Where(account => till.Ledger.StateOf(account.Key).Balance < NanoUsd.Zero).Select(account => account.Value).Order(StringComparer.Ordinal)];

    private static RerateView View(string run, bool isDry, DateTimeOffset since, DateTimeOffset until, RerateTally tally, List<string> belowZero)
    {
        var lines = tally.Lines.Select(line => new RerateLineView(
            line.Key.User,
            line.Key.Model,
            line.Value.Requests,
            line.Value.Estimated,
            line.Value.Corrected,
            line.Value.Taken,
            line.Value.WouldBe,
            line.Value.WouldBe - line.Value.Taken)).ToList();
        var (taken, wouldBe) = lines.Aggregate((NanoUsd.Zero, NanoUsd.Zero), (sum, line) => (sum.Item1 + line.ChargedDollars, sum.Item2 + line.WouldBeDollars));
        return new RerateView(
            run,
            isDry,
            since,
            until,
            tally.Requests,
            tally.Count(RerateOutcome.Corrected),
            taken,
            wouldBe,
            wouldBe - taken,
            new RerateSkippedView(
                tally.Count(RerateOutcome.Refunded),
                tally.Count(RerateOutcome.NotCharged),
                tally.Count(RerateOutcome.WithoutUsage),
                tally.Count(RerateOutcome.WithoutPrice),
                tally.Count(RerateOutcome.InConflict)),
            lines,
            belowZero);
    }

    private sealed record RerateOrder(string? Name, DateTimeOffset Since, DateTimeOffset Until, bool IsDry, string Run, string Actor);
}
