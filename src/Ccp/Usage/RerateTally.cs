using Ccp.Pricing;

namespace Ccp.Usage;

/// <summary>The sums of a rerating, by user and model.</summary>
internal sealed class RerateTally
{
    private readonly Dictionary<(string User, string Model), RerateSums> _sums = [];
    private readonly Dictionary<RerateOutcome, long> _counts = [];

    public long Requests => _counts.Values.Sum();

    public IEnumerable<KeyValuePair<(string User, string Model), RerateSums>> Lines => _sums
        .OrderBy(line => line.Key.User, StringComparer.Ordinal)
        .ThenBy(line => line.Key.Model, StringComparer.Ordinal);

    public long Count(RerateOutcome outcome) => _counts.GetValueOrDefault(outcome);

    public void Add(PricedRequest request, RerateFinding found)
    {
        _counts[found.Outcome] = Count(found.Outcome) + 1;
        if (found.Outcome is not (RerateOutcome.Right or RerateOutcome.Corrected))
        {
            return;
        }

        var sums = _sums.GetValueOrDefault((request.Username, request.Model));
        _sums[(request.Username, request.Model)] = new RerateSums(
            sums.Requests + 1,
            sums.Estimated + (request.IsEstimated ? 1 : 0),
            sums.Corrected + (found.Outcome == RerateOutcome.Corrected ? 1 : 0),
            sums.Taken + found.Taken,
            sums.WouldBe + found.WouldBe);
    }
}

/// <param name="Taken">What was charged, with earlier reratings.</param>
internal readonly record struct RerateSums(long Requests, long Estimated, long Corrected, NanoUsd Taken, NanoUsd WouldBe);
