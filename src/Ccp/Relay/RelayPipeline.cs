using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Limits;
using Ccp.Quotas;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Telemetry;
using Ccp.Usage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ccp.Relay;

/// <summary>The story of a call, from the token to the last step. Stages do the work; the branching is here.</summary>
internal sealed class RelayPipeline(
    CcpConfig config,
    Admission admission,
    Func<Router> router,
    RoutingStates states,
    AccountLedger ledger,
    ChargeHistory history,
    QuotaBook quotas,
    LaneAttempts attempts,
    RelayCloseout closeout,
    UsageLog usage,
    Metrics metrics,
    TimeProvider time,
    ILogger log)
{
    /// <returns>Null when the answer is written; else why there is none.</returns>
    /// <exception cref="IOException">The client went away while it was still sending.</exception>
    public async Task<Refusal?> RunAsync(RelayRequest request, RequestId id)
    {
        var call = new CallReport(id, time.GetUtcNow()) { StartedTimestamp = time.GetTimestamp(), Session = request.SessionId, Agent = request.AgentId };
        using var inFlight = metrics.CallBegins();
        using var slot = new Slot(time);
        using var funds = new CallFunds(ledger, history, quotas, call);
        try
        {
            // :: 1 who, and may they now. No byte of the body has been read.
            if (request.NotLocal is { } stray)
            {
                return call.Refusal = stray;
            }

            if (!admission.IdentifyCaller(request.Token, request.From.Address).Allows(out var user, out var refusal))
            {
                return call.Refusal = refusal;
            }

            call.User = user;
            var isCharged = request.Kind == RelayKind.Messages;
            var room = FreeRoom.PartsOf(request.Kind == RelayKind.Models ? 0 : request.Http.Request.ContentLength, config.Server.BodyBytesMax);
            if ((isCharged ? admission.Enter(slot, user, request.From) : admission.EnterFree(slot, user, request.From, room)) is { } notNow)
            {
                return call.Refusal = notNow;
            }

            if (request.Kind == RelayKind.Models)
            {
                return call.Refusal = await AskForModelsAsync(request, call, user, funds);
            }

            // :: 2 what. Read only now: a stranger must not make ccp hold 32 MB for him.
            if (!(await RequestBody.ReadAsync(request.Http.Request, config.Server.BodyBytesMax, time, request.Http.RequestAborted)).Allows(out var body, out refusal))
            {
                return call.Refusal = refusal;
            }

            using var held = body;

            // The slot stays with whom it was given to; everything else is as it is by now.
            if (!admission.IdentifyAgain(request.Token, request.From).Allows(out user, out refusal))
            {
                return call.Refusal = refusal;
            }

            call.User = user;
            if (!RequestPeek.Read(body.Bytes).Allows(out var facts, out refusal))
            {
                return call.Refusal = refusal;
            }

            call.Facts = facts;
            call.Session ??= facts.SessionId;

            if (!user.Limits.AllowsModel(facts.Model))
            {
                return call.Refusal = LimitRefusals.Model(user.Limits, facts.Model);
            }

            // :: 3 where to, with which key, at which price
            if (!router().Plan(user, facts, isCharged, call.StartedAt, states.At(call.StartedAt), admission.LoginOrNone(request.Login)).Allows(out var plan, out refusal))
            {
                return call.Refusal = refusal;
            }

            call.Plan = plan;
            usage.WriteDecision(call);

            // :: 4 is there money
            if (funds.SetAside(plan) is { } noMoney)
            {
                return call.Refusal = noMoney;
            }

            WarnOfLowBalance(request.Http.Response, user, plan);

            // Someone who has left before anything was sent owes nothing.
            request.Http.RequestAborted.ThrowIfCancellationRequested();

            // :: 5 send, and relay what comes back. The first byte waits for the hold to be on disk.
            call.Refusal = await attempts.RunAsync(request, call, body, funds);
            NoteEnd(call);
            return call.Refusal;
        }
        finally
        {
            // :: 6 always
            call.HasClientLeft = request.Http.RequestAborted.IsCancellationRequested;
            try
            {
                closeout.Finish(call, funds.Hold);
            }
            finally
            {
                slot.Used = call.Owed?.Tokens ?? default;
                funds.Dispose();
            }
        }
    }

    private async Task<Refusal?> AskForModelsAsync(RelayRequest request, CallReport call, User user, CallFunds funds)
    {
        if (AllowedModels.IdIn(request.Path) is { } model && !user.Limits.AllowsModel(model))
        {
            return LimitRefusals.Model(user.Limits, model);
        }

        if (!router().Plan(user, facts: null, isCharged: false, call.StartedAt, states.At(call.StartedAt), admission.LoginOrNone(request.Login)).Allows(out var plan, out var refusal))
        {
            return refusal;
        }

        call.Plan = plan;
        usage.WriteDecision(call);

        // Byte for byte, unless there is something to take out.
        Func<ReadOnlyMemory<byte>, byte[]?>? rewrite = user.Limits.Models.Count > 0 && request.IsListOfModels ? list => AllowedModels.Filter(user.Limits, list) : null;
        var no = await attempts.RunAsync(request, call, body: null, funds, rewrite);
        NoteEnd(call);
        return no;
    }

    private void WarnOfLowBalance(HttpResponse response, User user, LanePlan plan)
    {
        if (plan.Rates is not null && user.IsCharged && ledger.StateOf(user.AccountId).Balance < config.Billing.WarnBelow)
        {
            response.Headers[OwnHeaders.LowBalance] = "true";
        }
    }

    private void NoteEnd(CallReport call)
    {
        if (call.Result is not { } result)
        {
            // Nothing was sent.
            return;
        }

        if (result.Refusal is { Code: RefusalCode.UpstreamKeyRefused })
        {
            log.UpstreamKeyRefused(call.Id.Value, call.Plan!.Lane.Name, call.User!.Name, result.Status);
        }

        if (result.End == RelayEnd.OutOfCredit)
        {
            log.EndedForCredit(call.Id.Value, call.User!.Name);
        }

        if (result.End == RelayEnd.SpendLimit)
        {
            log.EndedForSpendLimit(call.Id.Value, call.User!.Name);
        }
    }
}
