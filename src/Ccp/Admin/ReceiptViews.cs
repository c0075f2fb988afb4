using System.Text.Json.Serialization;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Routing;
using Ccp.Usage;

namespace Ccp.Admin;

/// <summary>A receipt. The lines add up to <paramref name="ChargeDollars"/>, digit for digit; what is not known any more is null.</summary>
/// <param name="At">When the request was admitted; when it was charged, where only the ledger knows of it.</param>
/// <param name="Decision">The lane it was decided for, which is another than <paramref name="Lane"/> after a fallback in flight.</param>
/// <param name="ChosenBy">Null where <paramref name="DecisionReason"/> says it.</param>
/// <param name="Ended">The word of the usage log for how it ended; <paramref name="EndedText"/> says it in words.</param>
/// <param name="Explanation">Why lines or more are missing; null when nothing is.</param>
/// <param name="NetDollars">What the request costs by now: the charge with every correction.</param>
internal sealed record ReceiptView(
    string Id,
    DateTimeOffset At,
    string? Username,
    string? Model,
    string? AnsweredModel,
    string? PricedAs,
    string? Lane,
    string? Decision,
    string? DecisionReason,
    string? ChosenBy,
    IReadOnlyList<RejectedLane> Rejected,
    int? Status,
    string? Ended,
    string? EndedText,
    bool? Estimated,
    decimal? Markup,
    IReadOnlyList<ReceiptPriceView> Prices,
    IReadOnlyList<ChargeLine> Lines,
    NanoUsd ChargeDollars,
    NanoUsd NetDollars,
    ReceiptEntryView? Entry,
    IReadOnlyList<ReceiptEntryView> Corrections,
    string? Explanation)
{
    /// <param name="forAdmin">False: what operators noted for themselves stays with them.</param>
    public static ReceiptView Of(Receipt receipt, bool forAdmin)
    {
        var (request, entries) = (receipt.Request, receipt.Entries);
        IEnumerable<LedgerEntry> corrections = entries.Refund is { } refund ? [.. entries.Rerates, refund] : entries.Rerates;
        return new ReceiptView(
            receipt.Id,
            request?.At ?? entries.Charge!.At,
            receipt.Username,
            request?.Model,
            request?.AnsweredModel,
            request?.PricedAs,
            request?.Lane,
            request?.Decision?.Lane,
            request?.Decision?.Reason,
            request?.Decision?.ChosenBy,
            RejectedLane.Parse(request?.Decision?.Rejected),
            request?.Status,
            request?.Reason,
            request is null ? null : EndText(request.Reason),
            request?.IsEstimated,
            request?.Card?.Markup,
            receipt.Itemized?.Rows.Select(ReceiptPriceView.Of).ToList() ?? [],
            receipt.Lines,
            receipt.Charged,
            entries.Net,
            entries.Charge is { } charge ? ReceiptEntryView.Of(charge, isOpen: true) : null,
            [.. corrections.OrderBy(entry => entry.Id).Select(entry => ReceiptEntryView.Of(entry, forAdmin))],
            Explain(receipt));
    }

    private static string? Explain(Receipt receipt) => receipt.Detail switch
    {
        ReceiptDetail.LedgerOnly => "The record of this request was deleted for its age (storage.request_records); the entry in the ledger is what is left of it.",
        ReceiptDetail.WithoutLines when receipt.Request!.Metered is null => "This record was written by a ccp that kept too little to take the charge apart; the charge itself stands in the ledger.",
        ReceiptDetail.WithoutLines => "What is stored of this request does not come to its charge, so no lines are shown; the charge itself stands in the ledger.",
        ReceiptDetail.FromSums => "This record was written by a ccp that kept sums only; the lines are worked out from them and come to the charge exactly.",
        _ when receipt.Entries.Charge is null => "This user is metered and not charged: the lines show what the call would have come to.",
        _ => null,
    };

    private static string EndText(string reason) => reason switch
    {
        "ok" or "streaming" or "no_final_usage" or "suspect" => "complete",
        "client_left" => "the client left before the end",
        "upstream_cut" => "the provider's connection broke",
        "upstream_stalled" => "the provider fell silent",
        "timeout" => "no answer began in time",
        "out_of_credit" => "ended by ccp: the balance ran out",
        "spend_limit" => "ended by ccp: a spending limit was passed",
        "shutdown" => "ended by ccp: it was stopping",
        "crash" => "ccp ended while it ran; charged at the next start, as far as it had got",
        "internal_error" => "failed inside ccp; charged as far as it had got",
        "upstream_error" => "the provider ended it with an error",
        _ => reason,
    };
}

/// <summary>Where a price of a receipt comes from.</summary>
/// <param name="EffectiveFrom">Null: it always was.</param>
/// <param name="AsOf">When the numbers were read at their source; null for an operator's row without a date.</param>
internal sealed record ReceiptPriceView(string Model, DateTimeOffset? EffectiveFrom, DateOnly? AsOf, string Source)
{
    public static ReceiptPriceView Of(PriceRow row) => new(row.Model, row.EffectiveFrom, row.AsOf == DateOnly.MinValue ? null : row.AsOf, row.Source);
}

/// <param name="Hash">Hexadecimal.</param>
internal sealed record ReceiptEntryView(
    long Id,
    DateTimeOffset At,
    string Kind,
    NanoUsd Amount,
    string Reference,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Actor,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Note,
    string Hash)
{
    public static ReceiptEntryView Of(LedgerEntry entry, bool isOpen) => new(
        entry.Id,
        entry.At,
        entry.Kind.ToText(),
        entry.Amount,
        entry.Reference,
        isOpen ? entry.Actor : null,
        isOpen ? entry.Note : null,
        Convert.ToHexStringLower(entry.Hash));
}

/// <param name="Refunded">What was given back by this request; zero when it had been before.</param>
internal sealed record RefundView(string RequestId, string Username, NanoUsd Refunded, NanoUsd CurrentBalance, string Message);
