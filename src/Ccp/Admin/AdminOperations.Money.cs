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

    /// <summary>A top-up; or an adjustment, when it takes away or is said to be one.</summary>
    public async Task<BalanceChangeView> ChangeBalanceAsync(string name, ReadOnlyMemory<byte> json, string actor)
    {
        var body = new AdminBody(json, "amount", "reference", "note", "adjustment");
        var amount = body.Money("amount") ?? throw AdminRefusedException.Malformed("State the amount in dollars: {\"amount\":50}.");
        var reference = body.Line("reference", ReferenceLengthMax) is { Length: > 0 } stated ? stated : NewReference();
        var note = body.Line("note", NoteLengthMax) ?? "";
        var isAdjustment = body.Flag("adjustment") ?? amount < NanoUsd.Zero;
        var user = Find(name);
        return isAdjustment ? await AdjustAsync(user, amount, reference, note, actor) : await TopUpAsync(user, amount, reference, note, actor);
    }

    private async Task<BalanceChangeView> TopUpAsync(User user, NanoUsd amount, string reference, string note, string actor)
    {
        RefuseTooSmall(amount);
        var name = user.Name;
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
                throw AdminRefusedException.Conflict($"A top-up of {name} with this reference but another amount or note stands already; nothing was added. Use a reference once for each payment.");
        }
    }

    /// <summary>The rule for every top-up, however it comes.</summary>
    private void RefuseTooSmall(NanoUsd amount)
    {
        if (amount < NanoUsd.Zero)
        {
            throw AdminRefusedException.Malformed("A top-up adds money. To take some away, post an adjustment with a note: ccp balance NAME -12.50 --note TEXT.");
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
