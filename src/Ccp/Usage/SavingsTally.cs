using System.Globalization;
using Ccp.Pricing;

namespace Ccp.Usage;

/// <summary>The sums of what lanes saved, by month, model and user.</summary>
internal sealed class SavingsTally
{
    private readonly Dictionary<(string Month, string Model, string User), SavingsSums> _sums = [];
    private readonly Dictionary<SavingsOutcome, long> _counts = [];

    public long Requests => _counts.Values.Sum();

    public IEnumerable<KeyValuePair<(string Month, string Model, string User), SavingsSums>> Lines => _sums
        .OrderBy(line => line.Key.Month, StringComparer.Ordinal)
        .ThenBy(line => line.Key.Model, StringComparer.Ordinal)
        .ThenBy(line => line.Key.User, StringComparer.Ordinal);

    public long Count(SavingsOutcome outcome) => _counts.GetValueOrDefault(outcome);

    public void Add(PricedRequest request, SavingsFinding found)
    {
        _counts[found.Outcome] = Count(found.Outcome) + 1;
        if (found.Outcome != SavingsOutcome.Compared)
        {
            return;
        }

        var key = (request.At.UtcDateTime.ToString("yyyy-MM", CultureInfo.InvariantCulture), request.Model, request.Username);
        var sums = _sums.GetValueOrDefault(key);
        _sums[key] = new SavingsSums(sums.Requests + 1, sums.LaneCost + request.Cost, sums.DefaultLaneCost + found.DefaultLaneCost);
    }
}

/// <param name="LaneCost">What the requests cost where they went.</param>
internal readonly record struct SavingsSums(long Requests, NanoUsd LaneCost, NanoUsd DefaultLaneCost);
