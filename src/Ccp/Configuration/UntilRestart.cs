using Ccp.Pricing;

namespace Ccp.Configuration;

/// <summary>What lanes, routes, keys and quotas of a changed file rest on although only a restart takes it up: prices, users and how long records are kept.</summary>
/// <remarks>Without this look, a file that is right as a whole could stop calls that are served now, or let pass what it means to stop, when half of it is taken up.</remarks>
internal static class UntilRestart
{
    private const string Until = "is taken up by a restart only";

    /// <param name="read">The changed file: right as a whole.</param>
    /// <param name="inForce">With the prices, users and storage that ccp was started with.</param>
    public static IReadOnlyList<ConfigProblem> ProblemsOf(CcpConfig read, CcpConfig inForce) =>
        [.. Prices(read, inForce), .. Users(read, inForce), .. Quotas(read, inForce.Storage)];

    /// <summary>Calls would be charged as a model that has a price in the file and none in force.</summary>
    private static IEnumerable<ConfigProblem> Prices(CcpConfig read, CcpConfig inForce)
    {
        var (coming, present) = (PriceBook.With(read.Prices), PriceBook.With(inForce.Prices));
        List<DateTimeOffset> days = [.. read.Prices.Select(row => row.EffectiveFrom ?? DateTimeOffset.MinValue)];
        var standsIn = read.Billing.UnknownModelPricedAs is not null && inForce.Billing.UnknownModelPricedAs is null;
        foreach (var model in ModelsChargedAnew(read, inForce))
        {
            if (days.Exists(day => coming.Find(model, day) is not null && present.Find(model, day) is null))
            {
                var row = coming.Find(model, DateTimeOffset.MaxValue)!;
                yield return Problem("price", $"the price of \"{model}\" ({row.Source}) {Until}, and until then the calls that lanes or routes now charge as \"{model}\" would be refused: restart ccp, or leave those lanes and routes as they were");
            }
            else if (standsIn && present.Find(model, DateTimeOffset.MaxValue) is null)
            {
                yield return Problem("billing.unknown_model", $"it {Until}, and until then the calls that lanes or routes now charge as \"{model}\", which has no price, would be refused: restart ccp, or leave those lanes and routes as they were");
            }
        }
    }

    /// <summary>What lanes name as their price or model and did not before; and what a model is now charged as because its route, or its lane, says something else.</summary>
    private static IEnumerable<string> ModelsChargedAnew(CcpConfig read, CcpConfig inForce)
    {
        var named = read.Lanes.SelectMany(lane => ChargedBy(lane).Except(inForce.Lanes.Where(before => before.Name == lane.Name).SelectMany(ChargedBy)));

        // Where something may differ, a pattern stands for the models that fit it.
        var asked = read.Prices.Select(row => row.Model).Concat(read.Routing.Routes.Concat(inForce.Routing.Routes).Select(route => route.Pattern));
        var routed = asked.Where(model => ChargedAs(model, read) != ChargedAs(model, inForce)).Select(model => ChargedAs(model, read));
        return named.Concat(routed).Distinct(StringComparer.Ordinal);
    }

    private static IEnumerable<string> ChargedBy(LaneConfig lane) => lane.PriceAs is { } model ? [model] : lane.ModelMap.Select(mapped => mapped.Name);

    /// <summary>By the file's routes, of a call that nothing sends elsewhere.</summary>
    private static string ChargedAs(string model, CcpConfig config)
    {
        var route = config.Routing.Routes.FirstOrDefault(route => ModelGlob.Matches(route.Pattern, model));
        var lane = config.Lanes.FirstOrDefault(lane => lane.Name == route?.Lane) ?? config.Lanes[0];
        return lane.PriceAs ?? lane.NameOf(model);
    }

    /// <summary>A user as ccp knows it refers to a key or a lane by a name that is gone. Who is taken out of the file altogether may lose both.</summary>
    private static IEnumerable<ConfigProblem> Users(CcpConfig read, CcpConfig inForce)
    {
        foreach (var user in inForce.Users)
        {
            if (read.Users.FirstOrDefault(other => other.Name == user.Name) is not { } changed)
            {
                continue;
            }

            if (user.Key is { } key && !read.Keys.Any(other => other.Name == key) && inForce.Keys.Any(other => other.Name == key))
            {
                yield return Problem("user.key", $"a change of it {Until}, and until then the user \"{user.Name}\" has the key \"{key}\", which the file no longer has: restart ccp, or keep that [[key]] until it is restarted");
            }

            if (user.LaneOverride is { } lane && changed.LaneOverride is not null && !read.Lanes.Any(other => other.Name == lane))
            {
                yield return Problem("user.lane_override", $"a change of it {Until}, and until then all calls of the user \"{user.Name}\" go to the lane \"{lane}\", which the file no longer has: restart ccp, or keep that [[lane]] until it is restarted");
            }
        }
    }

    /// <summary>A window that is longer than the records are kept would be counted short at the next look at them.</summary>
    private static IEnumerable<ConfigProblem> Quotas(CcpConfig read, StorageConfig inForce) => read.Quotas.Where(quota => quota.Longest > inForce.RequestRecordsKept).Select(quota => Problem(
        "storage.request_records",
        $"a change of it {Until}, and until then records are kept for {Quantities.Format(inForce.RequestRecordsKept)}, while the quota of \"{quota.Pattern}\" on the lane \"{quota.Lane}\" is counted from those of {Quantities.Format(quota.Longest)}: restart ccp, or leave that quota as it was"));

    private static ConfigProblem Problem(string setting, string message) => new(null, null, setting, message);
}
