using Ccp.Crash.Calls;

namespace Ccp.Crash.Audit;

/// <summary>What must, may and must not stand in the books for one call, given all that is known of it from outside.</summary>
/// <remarks>
/// <list type="number">
/// <item>A byte of a good answer reached the client: there is one charge. The hold row is durable before that byte, so a kill cannot undo it.</item>
/// <item>No byte reached the client, but the upstream may have begun to answer well: there is one charge or none. The hold row may have become durable
/// just before the kill, and recovery takes an open row for something that was served: it cannot know that the byte never left. It then charges the
/// estimated prompt, or what the row says of the answer by then: never more than the upstream had sent.</item>
/// <item>The upstream had not begun to answer: no charge, unless the client hung up by itself, which is not free (the estimated prompt).</item>
/// <item>The upstream said no, or broke off before any content: no charge, but for the second rule, and where ccp ended the answer before the upstream could break off.</item>
/// <item>An amount is always what the call came to after one of its steps: not before the last step that was surely on disk (seen in the store before
/// the kill), nor, for a settled call, before what the client has; and not after the last step the upstream may have sent.</item>
/// <item>It is marked as an estimate unless it is the exact charge by the provider's final numbers; only a call that did not end by itself may be marked.
/// A call that was settled before the kill keeps its charge to the digit.</item>
/// </list>
/// </remarks>
internal static class CallRules
{
    /// <param name="before">The store just before the kill; null where nobody looked.</param>
    /// <param name="end">How ccp's process ended while, or after, this call was made.</param>
    public static IEnumerable<string> Violations(Call call, StoreView books, StoreView? before, ProcessEnd end)
    {
        var plan = call.Plan;
        var requests = books.RequestsBySession[plan.Session].ToList();
        if (requests.Count > 1)
        {
            yield return $"{plan.Session} was charged {requests.Count} times: {string.Join(", ", requests)}";
        }
        else if (requests is [var request])
        {
            foreach (var problem in ProblemsOf(request, call, before, end))
            {
                yield return $"{plan.Session} ({Known(call)}): {problem}; it stands as {request}";
            }
        }
        else if (MustBeCharged(call, before, end))
        {
            yield return $"{plan.Session} ({Known(call)}) was served and not charged";
        }

        if (end == ProcessEnd.Stopped && !plan.IsOverloaded && !call.HasEnd && plan.CutAfter is null && !call.HasLeft && !call.HasRunDry && !call.WasTurnedAway)
        {
            yield return $"{plan.Session} ({Known(call)}) did not arrive whole though nothing was in its way";
        }
    }

    /// <summary>How a call was charged, for the table.</summary>
    public static ChargeKind KindOf(Call call, StoreView books) => books.RequestsBySession[call.Plan.Session].FirstOrDefault() switch
    {
        null => ChargeKind.None,
        { IsEstimated: true } => ChargeKind.Estimated,
        _ => ChargeKind.Exact,
    };

    private static bool MustBeCharged(Call call, StoreView? before, ProcessEnd end) =>
        !call.Plan.CostsNothing && (call.HasHead || (end == ProcessEnd.Killed && WasOnDisk(call, before)));

    private static bool WasOnDisk(Call call, StoreView? before) =>
        before is not null && (before.Holds.ContainsKey(call.Plan.Session) || before.RequestsBySession[call.Plan.Session].Any());

    private static IEnumerable<string> ProblemsOf(RequestLine request, Call call, StoreView? before, ProcessEnd end)
    {
        var plan = call.Plan;
        var isCrash = request.Reason == "crash";
        if (plan.IsOverloaded || (call.Sent < 0 && !call.HasLeft) || (plan.CostsNothing && !isCrash && !EndedByCcp(request)))
        {
            yield return "charged, though nothing was served";
        }

        if (isCrash && end == ProcessEnd.Stopped)
        {
            yield return "marked as a crash, and there was none";
        }

        if (before?.RequestsBySession[plan.Session].FirstOrDefault() is { } settled && settled != request)
        {
            yield return $"it was settled as {settled} before the kill";
        }

        // An answer that broke off, or that the client did not wait for, ends as it ends: ccp had seen at least what the client has.
        var from = Math.Max(isCrash ? CallPlan.NoStep : call.Seen, StepOnDisk(call, before));
        if (!Enumerable.Range(from, Math.Max(0, call.Sent - from + 1)).Any(step => plan.ChargeAfter(step) == request.Charge) && !(call.HasLeft && !isCrash && request.Charge == plan.PromptEstimate && from < 1))
        {
            yield return $"the amount is none it came to between steps {from} and {call.Sent} ({plan.ChargeAfter(from)} to {plan.ChargeAfter(call.Sent)})";
        }

        if (!request.IsEstimated && (request.Charge != plan.Exact || call.Sent < plan.FinalUsageStep))
        {
            yield return $"not marked as an estimate, and not the exact {plan.Exact}";
        }

        var endedByItself = plan.CutAfter is null && !call.HasLeft && !call.HasRunDry;
        if (request.IsEstimated && endedByItself && !isCrash && !(request.Reason == "shutdown" && end == ProcessEnd.KilledWhileDraining))
        {
            yield return "marked as an estimate though it ended by itself";
        }
    }

    /// <summary>Before the upstream could break off.</summary>
    private static bool EndedByCcp(RequestLine request) => request.Reason is "shutdown" or "out_of_credit";

    /// <returns>How far the open hold said that the call had come. An amount no step comes to counts as beyond the last.</returns>
    private static int StepOnDisk(Call call, StoreView? before) => before is not null && before.Holds.TryGetValue(call.Plan.Session, out var amount)
        ? Enumerable.Range(CallPlan.NoStep, call.Plan.Steps.Count + 1).FirstOrDefault(step => call.Plan.ChargeAfter(step) == amount, int.MaxValue)
        : CallPlan.NoStep;

    private static string Known(Call call) =>
        $"{(call.Plan.IsStream ? "stream" : "whole")}, sent {call.Sent}, seen {call.Seen} of {call.Plan.Steps.Count - 1}{(call.HasEnd ? ", ended" : "")}{(call.HasLeft ? ", left" : "")}{(call.RefusedWith is { } status ? $", refused {status}: {call.RefusedBecause}" : "")}";
}

internal enum ProcessEnd
{
    Stopped,
    Killed,
    KilledWhileDraining,
}

internal enum ChargeKind
{
    Exact,
    Estimated,
    None,
}
