using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;

namespace Ccp.Usage;

/// <summary>What one request cost and why, as far as that is still known.</summary>
/// <param name="Request">Null when its record was deleted and only the ledger knows of it.</param>
/// <param name="Itemized">Null when the lines cannot be worked out; <paramref name="Detail"/> says why.</param>
internal sealed record Receipt(string Id, long AccountId, string? Username, PricedRequest? Request, ItemizedCharge? Itemized, ReceiptDetail Detail, RequestEntries Entries)
{
    /// <summary>What was charged; zero for users who are not.</summary>
    public NanoUsd Charged => Entries.Charge is { } entry ? -entry.Amount : NanoUsd.Zero;

    /// <summary>The lines, which add up to <see cref="Charged"/>.</summary>
    public IReadOnlyList<ChargeLine> Lines => Itemized is null ? []
        : Entries.Charge is not null ? Itemized.Lines
        : [.. Itemized.Lines, ChargeLine.Plain(ChargeLine.NotCharged, -Itemized.Charge.Amount.ToUsd())];

    /// <param name="account">Whose request it must be; null: anybody's. A stranger's is as if it were not there.</param>
    public static Receipt? Find(Database database, string id, long? account)
    {
        var request = PricedRequest.Find(database, id);
        if (request is not null && account is not null && request.AccountId != account)
        {
            return null;
        }

        var entries = RequestEntries.Of(database, id, request?.AccountId ?? account);
        if (request is not null)
        {
            var (itemized, detail) = Itemize(request, entries.Charge);
            return new Receipt(id, request.AccountId, request.Username, request, itemized, detail, entries);
        }

        return entries.Charge is { } charge
            ? new Receipt(id, charge.AccountId, UsageQueries.NameOf(database, charge.AccountId), null, null, ReceiptDetail.LedgerOnly, entries)
            : null;
    }

    private static (ItemizedCharge? Itemized, ReceiptDetail Detail) Itemize(PricedRequest request, LedgerEntry? charge)
    {
        if (request.Card is not { } card)
        {
            return (null, ReceiptDetail.WithoutLines);
        }

        var basis = request.Basis ?? new ReceiptBasis(new MeteredUsage(request.Tokens, [], request.WebSearches), new Dictionary<string, PriceRow>());
        var itemized = Itemization.Of(basis.Freeze(card), basis.Usage, request.AnsweredModel);

        // Lines that come to something else would be worse than none.
        var isRight = itemized.Charge.Cost == request.Cost && (charge is null || itemized.Charge.Amount == -charge.Amount);
        return !isRight ? (null, ReceiptDetail.WithoutLines) : (itemized, request.Basis is null ? ReceiptDetail.FromSums : ReceiptDetail.Whole);
    }
}

internal enum ReceiptDetail
{
    Whole,

    /// <summary>A record of an older version: the sums it keeps are enough to come to the charge.</summary>
    FromSums,

    /// <summary>What is kept does not come to the charge.</summary>
    WithoutLines,

    /// <summary>The record was deleted for its age.</summary>
    LedgerOnly,
}
