using System.Globalization;
using Ccp.Configuration;
using Ccp.Pricing;
using Ccp.Routing;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    private const int ModelLengthMax = 200;

    /// <summary>What the worked example uses.</summary>
    private static readonly TokenUsage ExampleUsage = new(Input: 1_000, CacheWrite5m: 2_000, CacheWrite1h: 0, CacheRead: 10_000, Output: 500);

    public List<PriceRowView> Prices(AdminQuery query) =>
        [.. PriceListing.Of(till.Prices, till.Time.GetUtcNow(), query.Text("model")).Select(PriceRowView.Of)];

    public PriceExplanationView ExplainPrice(AdminQuery query, UsableLanes lanes)
    {
        var model = query.Text("model") is { Length: <= ModelLengthMax } text && !text.Any(char.IsControl)
            ? text
            : throw AdminRefusedException.Malformed("State the model: ?model=claude-opus-5-5.");
        var config = inForce();
        var lane = config.Lanes[0];
        var now = till.Time.GetUtcNow();
        var choice = PriceChoice.Of(model, lane, config.Billing, till.Prices, now);
        if (choice.Match is not { } match)
        {
            return new PriceExplanationView(model, lane.Name, now, Priced: false, choice.PricedAs, [.. StandIn(choice, model, lane.Name), $"Nobody has said what {choice.PricedAs} costs, so a call for it is refused. Add a [[price]] table for it, or set billing.unknown_model."], null, config.Billing.Markup, null, OnOtherLanes(model, lanes, config.Billing, now));
        }

        var card = new RateCard(choice.PricedAs, match.Row, config.Billing.Markup, till.Prices, now, choice.IsFixed);
        var example = Itemization.Of(card, MeteredUsage.Of(ExampleUsage), answeredModel: null);
        return new PriceExplanationView(
            model,
            lane.Name,
            now,
            Priced: true,
            choice.PricedAs,
            [.. StandIn(choice, model, lane.Name), .. Why(choice, match)],
            PriceRowView.Of(match.Row, match.Rule <= PriceRule.OwnGlob, "in_force"),
            card.Markup,
            new PriceExampleView(example.Lines, example.Charge.Cost, example.Charge.Amount),
            OnOtherLanes(model, lanes, config.Billing, now));
    }

    /// <summary>What the model would be charged as on every lane but the default one, whatever the routes say.</summary>
    private List<LanePriceView> OnOtherLanes(string model, UsableLanes lanes, BillingConfig billing, DateTimeOffset now) => [.. lanes.Configured.Skip(1).Select(lane =>
    {
        var choice = PriceChoice.Of(model, lane, billing, till.Prices, now);
        var state = lanes.AccessTo(lane) == LaneAccess.Nobody ? "no key" : lanes.IsLicensed(lane) ? "usable" : "license needed";
        return new LanePriceView(lane.Name, state, choice.PricedAs, choice.Match is { } match ? TokenPricesView.Of(match.Row.Prices) : null);
    })];

    private static IEnumerable<string> StandIn(PriceChoice choice, string model, string lane) => choice.StandIn switch
    {
        PriceStandIn.PriceAs => [$"The lane {lane} prices every call as {choice.PricedAs} (price_as)."],
        PriceStandIn.UnknownModel => [$"{model} has no price of its own, and such models are priced as {choice.PricedAs} (billing.unknown_model)."],
        _ => [],
    };

    private static IEnumerable<string> Why(PriceChoice choice, PriceMatch match)
    {
        var (row, asked) = (match.Row, choice.PricedAs);
        yield return match.Rule switch
        {
            PriceRule.OwnExact => $"Your [[price]] row for exactly {asked} comes first.",
            PriceRule.OwnWithoutDate => $"{asked} is {row.Model} with a date or -latest, and your [[price]] row for {row.Model} comes first.",
            PriceRule.OwnGlob => $"Your [[price]] pattern {row.Model} is the first that {asked} fits; no row of yours names the id itself.",
            PriceRule.BuiltInExact => $"No row of yours fits; the built-in price book has a row for exactly {asked}.",
            PriceRule.BuiltInWithoutDate => $"No row of yours fits; {asked} is {row.Model} with a date or -latest, and the built-in price book has a row for {row.Model}.",
            _ => throw new ArgumentOutOfRangeException(nameof(match)),
        };
        yield return row.EffectiveFrom is { } from
            ? $"Of the rows for {row.Model} this is the one that took effect last, on {from.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC."
            : $"The row for {row.Model} has no date: it is in force until a dated one takes effect.";
        if (row.Above is { } tier)
        {
            yield return $"A request with more than {tier.PromptTokens} prompt tokens is charged at the higher tier as a whole.";
        }

        yield return choice.IsFixed ? "It holds whichever model answers." : "Should a dearer model answer, that one's price is charged.";
    }
}
