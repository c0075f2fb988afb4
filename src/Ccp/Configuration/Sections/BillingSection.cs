using Ccp.Pricing;

namespace Ccp.Configuration.Sections;

/// <summary><c>[billing]</c>: what users pay, and when they are warned or stopped.</summary>
internal static class BillingSection
{
    public const long MarkupMax = 1000;

    public static BillingConfig Read(ConfigTable table, PriceBook prices)
    {
        var config = new BillingConfig(
            Markup(table) ?? 2.0m,
            table.Decimal("minimum_topup", "dollars") ?? Dollars(50),
            table.Decimal("warn_below", "dollars") ?? Dollars(30),
            table.Decimal("overdraft", "dollars") ?? Dollars(1),
            UnknownModel(table, prices));
        table.RefuseUnknown();
        return config;
    }

    /// <summary>0 makes calls free; 1 passes the upstream's cost on.</summary>
    public static decimal? Markup(ConfigTable table) => table.Decimal("markup", "a factor", MarkupMax)?.ToUsd();

    private static string? UnknownModel(ConfigTable table, PriceBook prices)
    {
        const string Reject = "reject";
        var model = table.Text("unknown_model") ?? Reject;
        if (!Names.IsModel(model) || (model != Reject && prices.Find(model, DateTimeOffset.MaxValue) is null))
        {
            table.Refuse("unknown_model", "expected \"reject\" or the id of a priced model");
        }

        return model == Reject ? null : model;
    }

    private static NanoUsd Dollars(long count) => new(count * NanoUsd.PerDollar);
}
