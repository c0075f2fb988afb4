using Ccp.Pricing;

namespace Ccp.Ledger;

/// <summary>One line of the ledger. Never changed, never deleted.</summary>
/// <param name="Amount">Signed: what it does to the balance.</param>
/// <param name="Reference">Unique per account and kind; of a charge, the request id.</param>
/// <param name="Hash">HMAC over the previous entry's hash and this row.</param>
internal sealed record LedgerEntry(
    long Id,
    DateTimeOffset At,
    long AccountId,
    EntryKind Kind,
    NanoUsd Amount,
    NanoUsd BalanceAfter,
    string Reference,
    string Actor,
    string Note,
    byte[] Hash);

internal enum EntryKind
{
    TopUp,
    Charge,

    /// <summary>Gives back a charge, and names it.</summary>
    Refund,

    /// <summary>By hand, with a note.</summary>
    Adjustment,
}

/// <summary>What came of posting an entry.</summary>
internal enum PostResult
{
    Posted,

    /// <summary>The same reference with the same amount and note stands already: nothing was done.</summary>
    AlreadyPosted,

    /// <summary>The reference stands already with another amount or note: nothing was done.</summary>
    PostedOnOtherTerms,
}

internal static class EntryKindNames
{
    public static string ToText(this EntryKind kind) => kind switch
    {
        EntryKind.TopUp => "topup",
        EntryKind.Charge => "charge",
        EntryKind.Refund => "refund",
        EntryKind.Adjustment => "adjustment",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public static EntryKind Parse(string text) => text switch
    {
        "topup" => EntryKind.TopUp,
        "charge" => EntryKind.Charge,
        "refund" => EntryKind.Refund,
        "adjustment" => EntryKind.Adjustment,
        _ => throw new InvalidDataException($"The store holds an entry of the unknown kind '{text}'."),
    };
}
