using Ccp.Forwarding;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Metering;
using Ccp.Pricing;
using Ccp.Quotas;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Usage;
using Microsoft.AspNetCore.Http;

namespace Ccp.Relay;

/// <summary>The money of one call: set aside for the lane it goes to, and anew when it goes to another. So is its part of the lane's quotas.</summary>
internal sealed class CallFunds(AccountLedger ledger, ChargeHistory history, QuotaBook quotas, CallReport call) : IDisposable
{
    private QuotaUse? _quota;

    /// <summary>Null as long as nothing is set aside, and for calls that cost nothing.</summary>
    public Hold? Hold { get; private set; }

    /// <returns>Null when the money is there.</returns>
    public Refusal? SetAside(LanePlan plan)
    {
        if (plan.Rates is not { } rates)
        {
            return null;
        }

        // What another lane would have cost is free again: nothing of it is on disk.
        Dispose();
        if (!Place(call.User!, rates, call.Facts!).Allows(out var hold, out var refusal))
        {
            return refusal;
        }

        Hold = hold;
        _quota = quotas.Open(call.Id.Value, plan.Lane.Name, call.Facts!.Model, call.StartedAt);
        return null;
    }

    public CallMoney MoneyOf(LanePlan plan) => Hold is { } hold
        ? new CallMoney(ledger, hold, RowOf(hold, plan), plan.Rates, call.Facts!.Asked, _quota, reading => UsageOwed.Of(Whole(reading), call.Facts, plan.Rates!))
        : new CallMoney(ledger, ledger.PlaceNothing(call.Id), row: null, rates: null);

    public void Dispose()
    {
        Hold?.Dispose();
        Hold = null;

        // After the close-out: its record, if it leaves one, is on its way.
        _quota?.Close(call.Owed?.Tokens ?? default);
        _quota = null;
    }

    private Decision<Hold> Place(User user, RateCard rates, RequestFacts facts)
    {
        if (!user.IsCharged)
        {
            return ledger.PlaceNothing(call.Id);
        }

        var usual = history.NinetyFifthPercentile(user.AccountId, rates.Row.Model);
        var forecast = CostForecasts.Of(rates, facts);
        var amount = HoldPolicy.AmountFor(forecast, usual, canEndEarly: facts.IsStream);
        return ledger.Place(user.AccountId, call.Id, amount, rates.IsFree, canEndEarly: facts.IsStream, new SpendLimits(user.Limits.SpendPerDay, user.Limits.SpendPerMonth), forecast.Least);
    }

    /// <summary>An answer that ends as it is read now.</summary>
    private static ForwardResult Whole(MeterReading reading) => new(StatusCodes.Status200OK, RelayEnd.Complete, Refusal: null, reading);

    private HoldRow? RowOf(Hold hold, LanePlan plan)
    {
        if (!hold.IsCharged)
        {
            return null;
        }

        // If nothing more is ever heard of the call, the prompt is what it is charged for.
        var prompt = new TokenUsage { Input = call.Facts!.EstimatedPromptTokens };
        var terms = plan.Rates!.Assume(prompt, reported: default, call.Facts.Asked);
        return new HoldRow(
            call.Id.Value,
            call.User!.AccountId,
            call.StartedAt,
            hold.Amount,
            (plan.Rates with { Markup = 1m }).RunningAmount(prompt, terms),
            plan.Rates.RunningAmount(prompt, terms),
            prompt,
            call.User.Id,
            call.Facts.Model,
            plan.Lane.Name,
            call.Facts.IsStream,
            call.Session,
            call.Agent,
            plan.Rates.ToJson(),
            terms,
            call.Decided!.ToDecision());
    }
}
