using System.Globalization;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Telemetry;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    private const int ReferenceLengthMax = 200;
    private const int NoteLengthMax = 1000;

    public BalanceView Balance(string name) => Balance(Find(name));

    public BalanceView Balance(User user)
    {
        var state = till.Ledger.StateOf(user.AccountId);
        return new BalanceView(user.Name, state.Balance, user.IsCharged && state.Balance < till.Config.Billing.WarnBelow, state.Available, state.Held);
    }

    public async Task<BalanceChangeView> TopUpAsync(string name, ReadOnlyMemory<byte> json, string actor)
    {
        var body = new AdminBody(json, "amount", "reference", "note");
        var amount = body.Money("amount") ?? throw AdminRefusedException.Malformed("State the amount in dollars: {\"amount\":50}.");
        var reference = body.Line("reference", ReferenceLengthMax) is { Length: > 0 } stated ? stated : NewReference();
        var note = body.Line("note", NoteLengthMax) ?? "";
        var user = Find(name);
        RefuseTooSmall(amount);

        var result = await till.Ledger.PostAsync(user.AccountId, EntryKind.TopUp, amount, reference, actor, note);
        var balance = till.Ledger.StateOf(user.AccountId).Balance;
        switch (result)
        {
            case PostResult.Posted:
                till.Log.UserChanged(name, $"topped up by {amount} USD", actor);
                return new BalanceChangeView(name, balance - amount, balance, $"{name} was topped up by {amount} USD.");
            case PostResult.AlreadyPosted:
                return new BalanceChangeView(name, balance, balance, $"A top-up of {amount} USD with this reference stands already; nothing was added.");
            default:
                throw AdminRefusedException.Conflict($"A top-up of {name} with this reference but another amount stands already; nothing was added. Use a reference once for each payment.");
        }
    }

    /// <summary>The rule for every top-up, however it comes.</summary>
    private void RefuseTooSmall(NanoUsd amount)
    {
        if (amount < NanoUsd.Zero)
        {
            throw AdminRefusedException.Malformed("A balance can only be topped up for now; adjustments come by ccp balance in a later version.");
        }

        var minimum = till.Config.Billing.MinimumTopUp;
        if (amount < minimum || amount == NanoUsd.Zero)
        {
            var shown = minimum.ToUsd().ToString("0.#########", CultureInfo.InvariantCulture);
            throw new AdminRefusedException(400, $"Minimum payment is ${shown}") { MinimumPayment = minimum };
        }

        // Far above any payment, far below where sums of them would leave the range of an amount.
        if (amount.ToUsd() > TopUpMax)
        {
            throw AdminRefusedException.Malformed($"A top-up is at most {TopUpMax} USD.");
        }
    }

    private const decimal TopUpMax = 100_000_000;

    private static string NewReference() => Guid.NewGuid().ToString();
}
