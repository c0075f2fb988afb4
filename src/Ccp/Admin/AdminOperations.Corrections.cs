using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Usage;

namespace Ccp.Admin;

internal sealed partial class AdminOperations
{
    /// <summary>Gives back what a request has cost, once.</summary>
    public async Task<RefundView> RefundAsync(string id, ReadOnlyMemory<byte> json, string actor)
    {
        var body = new AdminBody(json, "amount", "note");
        var stated = body.Money("amount");
        var note = body.Line("note", NoteLengthMax) ?? "";
        if (stated <= NanoUsd.Zero)
        {
            throw AdminRefusedException.Malformed("A refund gives back an amount above zero; without an amount it gives back all that the request has cost.");
        }

        var (charge, amount, isNew, name) = await till.Writes.WriteAsync(database =>
        {
            var entries = RequestEntries.Of(database, id, account: null);
            var charge = entries.Charge ?? throw NothingCharged(database, id);
            var shown = UsageQueries.NameOf(database, charge.AccountId) ?? "";
            if (entries.Refund is { } standing)
            {
                return stated is null || stated == standing.Amount
                    ? (Charge: charge, standing.Amount, IsNew: false, Name: shown)
                    : throw AdminRefusedException.Conflict($"{standing.Amount} USD of this request were given back already; a request is refunded once. Use ccp balance for anything beyond.");
            }

            var given = stated ?? entries.Taken;
            if (entries.Taken <= NanoUsd.Zero || given > entries.Taken)
            {
                throw AdminRefusedException.Conflict($"This request has cost {entries.Taken} USD; no more than that can be given back.");
            }

            var posted = till.Ledger.Post(database, charge.AccountId, EntryKind.Refund, given, id, actor, note);
            return (Charge: charge, Amount: given, IsNew: posted == PostResult.Posted, Name: shown);
        },
        given => till.Ledger.Count(given.Charge.AccountId, given.IsNew ? given.Amount : NanoUsd.Zero));
        if (!isNew)
        {
            return View($"This request was refunded {amount} USD before; nothing more was given back.");
        }

        till.Log.UserChanged(name, $"refunded {amount} USD for {id}", actor);
        return View($"{amount} USD of {id} were given back to {name}.");

        RefundView View(string message) => new(id, name, isNew ? amount : NanoUsd.Zero, till.Ledger.StateOf(charge.AccountId).Balance, message);
    }

    /// <summary>Takes from an account, or gives to it, with a note that says why.</summary>
    private async Task<BalanceChangeView> AdjustAsync(User user, NanoUsd amount, string reference, string note, string actor)
    {
        if (string.IsNullOrWhiteSpace(note))
        {
            throw AdminRefusedException.Malformed("An adjustment needs a note that says why: it stands in the ledger for ever.");
        }

        if (amount == NanoUsd.Zero || NanoUsd.Max(amount, -amount).ToUsd() > TopUpMax)
        {
            throw AdminRefusedException.Malformed($"An adjustment is any amount but zero, up to {TopUpMax} USD.");
        }

        if (reference.StartsWith(RerateReference.Prefix, StringComparison.Ordinal))
        {
            throw AdminRefusedException.Malformed($"References that begin with {RerateReference.Prefix} belong to ccp pricing rerate. Use another.");
        }

        var result = await till.Ledger.PostAsync(user.AccountId, EntryKind.Adjustment, amount, reference, actor, note);
        var balance = till.Ledger.StateOf(user.AccountId).Balance;
        if (result == PostResult.PostedOnOtherTerms)
        {
            throw AdminRefusedException.Conflict($"An adjustment of {user.Name} with this reference but another amount or note stands already; nothing was changed. Use a reference once for each adjustment.");
        }

        var below = balance < NanoUsd.Zero ? " The balance is below zero: new calls are refused until it is topped up." : "";
        if (result == PostResult.AlreadyPosted)
        {
            return new BalanceChangeView(user.Name, balance, balance, $"An adjustment of {amount} USD with this reference stands already; nothing was changed.{below}");
        }

        till.Log.UserChanged(user.Name, $"adjusted by {amount} USD", actor);
        return new BalanceChangeView(user.Name, balance - amount, balance, $"{user.Name} was adjusted by {amount} USD.{below}");
    }

    private static AdminRefusedException NothingCharged(Database database, string id) =>
        HoldRow.Find(database, id) is not null ? StillRunning()
        : PricedRequest.Find(database, id) is not null ? AdminRefusedException.Conflict("This request was not charged: there is nothing to give back.")
        : NoSuchRequest();
}
