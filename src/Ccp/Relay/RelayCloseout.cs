using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Metering;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Store;
using Ccp.Telemetry;
using Ccp.Usage;
using Microsoft.Extensions.Logging;

namespace Ccp.Relay;

/// <summary>The one last step of every call, whatever happened: settle or void, record, log. It takes no cancellation: hanging up ends the stream, not the debt.</summary>
internal sealed class RelayCloseout(WriteQueue writes, ChargeHistory history, UsageLog usage, AccountLedger ledger, NanoUsd warnBelow, Metrics metrics, TimeProvider time, ILogger log)
{
    /// <param name="hold">Null when the call was refused before money was set aside, or costs nothing.</param>
    public void Finish(CallReport call, Hold? hold)
    {
        call.Elapsed = time.GetElapsedTime(call.StartedTimestamp);
        try
        {
            if (hold is not null && call.Result is { } result && call.Plan?.Rates is { } rates)
            {
                Settle(call, hold, result, rates);
            }
        }
        finally
        {
            Report(call, hold);
        }
    }

    private void Report(CallReport call, Hold? hold)
    {
        if (hold?.Unsettled is { } progress)
        {
            // It failed inside ccp after its answer had begun: it is charged as far as it got when the hold is let go of, and says so here.
            call.Owed = MeteredUsage.Of(progress.Tokens).At(progress.Terms);
            call.Charge = new Charge(progress.Cost, progress.Charge, progress.Final?.PricedAs ?? call.Plan!.Rates!.Row.Model);
            call.IsEstimated = progress.Final is not { IsExact: true };
        }

        // One who only makes noise is told to wait and leaves no line: the log keeps what others did.
        if (call.Refusal?.Code != RefusalCode.TooManyFailedTokens)
        {
            usage.WriteCompletion(call);
            metrics.Count(call);
        }
    }

    private void Settle(CallReport call, Hold hold, Forwarding.ForwardResult result, RateCard rates)
    {
        var owed = UsageOwed.Of(result, call.Facts!, rates);
        if (owed is null)
        {
            _ = hold.SettleAsync(charge: null, note: "", static _ => { });
            return;
        }

        var charge = rates.Price(owed, result.Reading.AnsweredModel);
        call.Owed = owed;
        call.Charge = charge;
        call.IsEstimated = result.Reading.Quality != ReadingQuality.Exact;
        var record = RecordOf(call, call.User!, result, owed, charge, rates);
        if (!hold.IsCharged)
        {
            writes.WriteIfThereIsRoom(record.Insert);
            hold.Dispose();
            return;
        }

        history.Add(call.User!.AccountId, rates.Row.Model, charge.Amount);
        _ = hold.SettleAsync(charge.Amount, NoteOf(call, charge), record.Insert);

        // Said once, by the call that crosses the line.
        var left = ledger.StateOf(call.User.AccountId).Balance;
        if (left < warnBelow && left + charge.Amount >= warnBelow)
        {
            log.LowBalance(call.Id.Value, call.User.Name, left.ToString());
        }
    }

    private static string NoteOf(CallReport call, Charge charge)
    {
        var priced = charge.PricedAs == call.Facts!.Model ? charge.PricedAs : $"{call.Facts.Model} priced as {charge.PricedAs}";
        return call.IsEstimated ? $"{priced}, estimated ({call.Reason})" : priced;
    }

    private static RequestRecord RecordOf(CallReport call, User user, Forwarding.ForwardResult result, MeteredUsage owed, Charge charge, RateCard rates) => new(
        call.Id.Value,
        call.StartedAt,
        user.AccountId,
        user.Id,
        call.Facts!.Model,
        result.Reading.AnsweredModel,
        charge.PricedAs,
        call.Plan!.Lane.Name,
        result.Status,
        call.Reason,
        call.Facts.IsStream,
        call.IsEstimated,
        owed.Tokens,
        owed.WebSearches,
        charge.Cost,
        user.IsCharged ? charge.Amount : NanoUsd.Zero,
        call.Session,
        call.Agent,
        result.UpstreamRequestId,
        call.Elapsed,
        result.TimeToFirstByte,
        rates.ToJson(),
        ReceiptBasis.Of(rates, owed, result.Reading.AnsweredModel).ToJson(rates),
        call.Decided!.ToDecision());
}
