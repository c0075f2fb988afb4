using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Quotas;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Thinking;
using Ccp.Usage;
using Microsoft.AspNetCore.Http;

namespace Ccp.Relay;

/// <summary>
/// Sends a call to its lane. What fails before the first byte is sent once more: to the same lane with the key in the other header, or to the
/// route's fallback, with that lane's key, headers and model, from the body as it came.
/// </summary>
internal sealed class LaneAttempts(Forwarder forwarder, CredentialForms forms, ThinkingGuard thinking, QuotaBook quotas, TimeProvider time)
{
    /// <param name="body">Null for calls without one.</param>
    /// <returns>Null when something was relayed; else why nothing was.</returns>
    public async Task<Refusal?> RunAsync(RelayRequest request, CallReport call, RequestBody? body, CallFunds funds, Func<ReadOnlyMemory<byte>, byte[]?>? rewrite = null)
    {
        var startedTimestamp = time.GetTimestamp();
        var plan = call.Plan!;
        call.Form = forms.For(plan.Lane, plan.Key);
        var mayChangeForm = plan.Lane.Header == LaneHeader.Auto;
        while (true)
        {
            PooledBodyContent? content = null;
            if (body is not null && !body.ToContent(ChangesFor(plan, call)).Allows(out content, out var malformed))
            {
                return malformed;
            }

            var upstream = UpstreamRequest.Build(plan, call.Form, request.Http.Request, request.Path, content);
            var before = time.GetElapsedTime(call.StartedTimestamp);

            // Should this attempt break within ccp, what the one before came to says nothing of it.
            call.Result = null;
            var result = await forwarder.SendAsync(plan, upstream, call.Id, call.Facts?.IsStream == true, plan.Rates is not null, funds.MoneyOf(plan), request.Http, rewrite, mayChangeForm);

            // From the arrival of the call, as its whole time is: what another lane wasted before is waiting, not streaming.
            call.Result = result = result with { TimeToFirstByte = before + result.TimeToFirstByte };
            if (plan.Lane.Header == LaneHeader.Auto && result.TookKey)
            {
                forms.Remember(plan.Key, call.Form);
            }

            NoteTooMany(plan, call, result);
            if (result.Setback is not { } setback)
            {
                return result.Refusal;
            }

            if (request.Http.RequestAborted.IsCancellationRequested)
            {
                // Nobody waits for another attempt, and this one cost nothing.
                return result.Refusal;
            }

            call.Retries++;
            if (setback == Setback.FormRefused)
            {
                call.Form = CredentialForms.Other(call.Form);
                mayChangeForm = false;
                continue;
            }

            if (plan.Rates is not null)
            {
                // What costs nothing leaves nothing in the store, whatever models it names.
                quotas.NoteFallback(plan.Lane.Name, call.Facts!.Model);
            }

            call.Fallback = new LaneFallback(plan.Lane.Name, setback, time.GetElapsedTime(startedTimestamp));
            call.Plan = plan = plan.Fallback!;
            call.Form = forms.For(plan.Lane, plan.Key);
            mayChangeForm = plan.Lane.Header == LaneHeader.Auto;
            if (funds.SetAside(plan) is { } refusal)
            {
                return refusal;
            }
        }
    }

    /// <summary>A user's own key, or login, has a quota of its own: such a 429 is shown, and keeps nobody else away.</summary>
    private void NoteTooMany(LanePlan plan, CallReport call, ForwardResult result)
    {
        if (result.Status != StatusCodes.Status429TooManyRequests || plan.Rates is null)
        {
            return;
        }

        if (plan.IsUsersOwnKey)
        {
            quotas.CountTooMany(plan.Lane.Name, call.Facts!.Model);
        }
        else
        {
            quotas.NoteTooMany(plan.Lane.Name, call.Facts!.Model, result.RetryAfter);
        }
    }

    private BodyChanges ChangesFor(LanePlan plan, CallReport call) =>
        new(plan.ModelOnLane == call.Facts?.Model ? null : plan.ModelOnLane, plan.Lane.StripsBillingHeader, thinking.JudgeFor(plan.Lane.Name));
}
