using Ccp.Ledger;
using Ccp.Metering;
using Ccp.Pricing;
using Ccp.Quotas;
using Ccp.Refusals;
using Ccp.Store;

namespace Ccp.Forwarding;

/// <summary>The money side of one call while it runs: its hold, and the rates that turn tokens into what it comes to.</summary>
/// <param name="row">What goes to disk before the first byte of the answer goes to the client; null for calls that cost nothing.</param>
/// <param name="rates">Null for calls that cost nothing.</param>
/// <param name="asked">How the request wants to be served: until the provider says how it is, the dearer counts.</param>
/// <param name="quota">What the call uses of its lane's quotas; null for calls that use none.</param>
/// <param name="owedFor">What will be charged for a reading, should it be the last; null for calls that cost nothing.</param>
internal sealed class CallMoney(AccountLedger ledger, Hold hold, HoldRow? row, RateCard? rates, PriceTerms asked = default, QuotaUse? quota = null, Func<MeterReading, MeteredUsage?>? owedFor = null)
{
    private readonly RateCard? _costRates = rates is null ? null : rates with { Markup = 1m };
    private TokenUsage _noted;
    private PriceTerms _notedTerms;
    private MeterReading? _notedFinal;

    /// <summary>True when this stream was chosen to end for want of money.</summary>
    public bool MustEnd => hold.MustEnd;

    public RelayEnd EndCause => hold.EndCause == Ledger.EndCause.SpendLimit ? RelayEnd.SpendLimit : RelayEnd.OutOfCredit;

    /// <summary>What the client is told of such an end where nothing has reached it yet.</summary>
    public Refusal EndRefusal => EndCause == RelayEnd.SpendLimit
        ? new Refusal(
            hold.SpendLimits.PerDay > NanoUsd.Zero ? RefusalCode.DaySpendReached : RefusalCode.MonthSpendReached,
            "The spending limit that ccp has for you was passed by your calls in progress before the answer to this one began. Ask your operator to raise it, or go on when the next day or month begins (UTC).")
        : new Refusal(
            RefusalCode.InsufficientCredit,
            "Your ccp balance was used up by your calls in progress before the answer to this one began. Ask your operator for a top-up; your work can go on right after it.");

    /// <summary>Set once, by the relay, to be woken when <see cref="MustEnd"/> turns true.</summary>
    public Action? OnMustEnd
    {
        set => hold.OnMustEnd = value;
    }

    /// <returns>False when the hold cannot be written: then nothing may be served.</returns>
    public async ValueTask<bool> MakeDurableAsync()
    {
        if (row is null)
        {
            return true;
        }

        try
        {
            await hold.MakeDurableAsync(row);
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    public void NoteProgress(in TokenUsage tokens, in PriceTerms reported)
    {
        if (rates is null || (tokens == _noted && reported == _notedTerms))
        {
            return;
        }

        _noted = tokens;
        _notedTerms = reported;
        quota?.Note(tokens);
        if (hold.IsCharged)
        {
            // A provider that counts the prompt only at the end has read it all the same: until then the estimate stands.
            var used = tokens.Prompt == 0 && row is not null ? tokens with { Input = row.Tokens.Input } : tokens;
            var terms = rates.Assume(used, reported, asked);
            hold.NoteProgress(new HoldProgress(_costRates!.RunningAmount(used, terms), rates.RunningAmount(used, terms), used, terms));
        }
    }

    /// <summary>The provider's final numbers are in: what will be charged for them goes to disk, to the digit, without waiting for the next checkpoint.</summary>
    public void NoteFinal(MeterReading reading)
    {
        if (rates is null || !hold.IsCharged || reading == _notedFinal || owedFor?.Invoke(reading) is not { } owed)
        {
            return;
        }

        _notedFinal = reading;
        var charge = rates.Price(owed, reading.AnsweredModel);
        var metered = ReceiptBasis.Of(rates, owed, reading.AnsweredModel).ToJson(rates);
        hold.NoteProgress(new HoldProgress(
            charge.Cost, charge.Amount, owed.Tokens, owed.Terms, new FinalReading(metered, reading.AnsweredModel, charge.PricedAs, reading.Quality == ReadingQuality.Exact)));
        _ = ledger.CheckpointAsync(hold);
    }
}
