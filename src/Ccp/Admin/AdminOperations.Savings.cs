using Ccp.Pricing;
using Ccp.Usage;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    /// <summary>Compares what every request on another lane cost with what the default lane would have asked. Reads only.</summary>
    public async Task<SavingsView> SavingsAsync(AdminQuery query)
    {
        var now = till.Time.GetUtcNow();
        var since = query.Since("since", now) ?? DateTimeOffset.UnixEpoch;

        // Up to now, and not to what live traffic adds while pages are read.
        var until = now.AddMilliseconds(1);
        var savings = new Savings(inForce(), till.Prices);
        var tally = new SavingsTally();
        PricedRequest? last = null;
        while (await ReadAsync(database => PricedRequest.Page(database, name: null, since, until, last, RecordsPerPage, notOn: savings.DefaultLane)) is { Count: > 0 } page)
        {
            page.ForEach(request => tally.Add(request, savings.Weigh(request)));
            last = page[^1];
        }

        return View(since, savings.DefaultLane, tally);
    }

    private static SavingsView View(DateTimeOffset since, string defaultLane, SavingsTally tally)
    {
        var lines = tally.Lines.Select(line => new SavingsLineView(
            line.Key.Month,
            line.Key.Model,
            line.Key.User,
            line.Value.Requests,
            line.Value.LaneCost,
            line.Value.DefaultLaneCost,
            line.Value.DefaultLaneCost - line.Value.LaneCost)).ToList();
        var (onLanes, onDefault) = lines.Aggregate((NanoUsd.Zero, NanoUsd.Zero), (sum, line) => (sum.Item1 + line.LaneCostDollars, sum.Item2 + line.DefaultLaneCostDollars));
        return new SavingsView(
            since,
            defaultLane,
            tally.Requests,
            tally.Count(SavingsOutcome.Compared),
            onLanes,
            onDefault,
            onDefault - onLanes,
            new SavingsNotComparedView(tally.Count(SavingsOutcome.WithoutPrice), tally.Count(SavingsOutcome.WithoutUsage)),
            lines);
    }
}
