using System.Net;
using System.Net.Sockets;
using Ccp.Configuration;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Telemetry;
using Ccp.Thinking;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ccp.Forwarding;

/// <summary>One exchange with an upstream: sends the request, judges the head of the answer, and relays the rest.</summary>
internal sealed class Forwarder(UpstreamClients clients, LaneCircuits circuits, Func<LaneConfig, bool> mayGoTo, ActiveCalls active, ThinkingGuard thinking, TimeProvider time, ILogger log)
{
    /// <summary>An answer that ccp changes is held whole in memory, and is a list of models: far below this.</summary>
    private const int RewrittenBytesMax = 1024 * 1024;

    /// <param name="request">As built for this lane; disposed with the exchange.</param>
    /// <param name="isStream">As the request asked; what comes back decides how it is read.</param>
    /// <param name="isMetered">False for calls that cost nothing.</param>
    /// <param name="rewrite">For an answer that is not passed on as it is: gives what goes to the client, or null when it cannot be read. Unmetered calls only.</param>
    /// <param name="mayChangeForm">The key may be sent once more in the other header.</param>
    /// <returns>With a <see cref="ForwardResult.Setback"/> when nothing was relayed and another attempt may be made.</returns>
    public async Task<ForwardResult> SendAsync(
        LanePlan plan, HttpRequestMessage request, RequestId id, bool isStream, bool isMetered, CallMoney money, HttpContext client, Func<ReadOnlyMemory<byte>, byte[]?>? rewrite = null, bool mayChangeForm = false)
    {
        using var sent = request;
        if (money.MustEnd)
        {
            // Admitted, and then others used up the money: what the upstream has not heard of costs nobody anything.
            return ForwardResult.NoAnswer(money.EndCause, money.EndRefusal);
        }

        using var visit = circuits.Of(plan.Lane).Enter(mayProbe: isMetered);
        if (visit.Outage is { } outage)
        {
            return ForwardResult.NoAnswer(RelayEnd.UpstreamCut, LaneRefusals.Down(plan.Lane, outage)) with { Setback = RetryPolicy.JudgeDown(plan, mayGoTo) };
        }

        using var stop = new CallStop(time, client.RequestAborted);
        active.Add(stop);
        try
        {
            return await ExchangeAsync(plan, request, id, isStream, isMetered, money, client, rewrite, mayChangeForm, stop, visit);
        }
        finally
        {
            active.Remove(stop);
        }
    }

    private async Task<ForwardResult> ExchangeAsync(
        LanePlan plan, HttpRequestMessage request, RequestId id, bool isStream, bool isMetered, CallMoney money, HttpContext client, Func<ReadOnlyMemory<byte>, byte[]?>? rewrite, bool mayChangeForm, CallStop stop, LaneVisit visit)
    {
        var sentAt = time.GetTimestamp();
        HttpResponseMessage answer;
        try
        {
            stop.AllowUntilAnswer(isStream ? plan.Lane.FirstByteTimeout : plan.Lane.ResponseTimeout);
            answer = await clients.For(plan.Lane).SendAsync(request, stop.Token);
        }
        catch (Exception error) when (stop.Token.IsCancellationRequested && error is OperationCanceledException or HttpRequestException or IOException or SocketException)
        {
            if (isMetered && stop.Cause == RelayEnd.TimedOut)
            {
                visit.Failed("no answer in time");
            }

            var refusal = stop.Cause switch
            {
                RelayEnd.ClientLeft => null,
                RelayEnd.ShutDown => AnswerWords.ShuttingDown(),
                _ => AnswerWords.TimedOut(plan.Lane),
            };
            return ForwardResult.NoAnswer(stop.Cause, refusal, request.Content is PooledBodyContent { WasRead: true });
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            // An OperationCanceledException that nobody asked for is the connect timeout; a SocketException, which the client library should have
            // wrapped, comes when the peer dies in the moment of connecting.
            log.LaneUnreachable(id.Value, plan.Lane.Name, LaneFaults.Describe(error));
            if (isMetered)
            {
                visit.Report(error, request.Content is PooledBodyContent { WasRead: true });
            }

            return ForwardResult.NoAnswer(RelayEnd.UpstreamCut, AnswerWords.Unreachable(plan.Lane)) with { Setback = RetryPolicy.Judge(error, plan, mayGoTo) };
        }

        using var received = answer;
        stop.AnswerHasBegun();
        if (isMetered)
        {
            // A lane may serve messages and neither token counts nor models, or these alone: only messages say how it is.
            visit.Report(answer.StatusCode);
        }

        var head = new ForwardResult((int)answer.StatusCode, RelayEnd.Complete, null, Metering.MeterReading.NotStarted)
        {
            TimeToHead = time.GetElapsedTime(sentAt),
            UpstreamRequestId = answer.Headers.NonValidated.TryGetValues("request-id", out var upstreamId) ? upstreamId.ToString() : null,
            UsedHttp2 = answer.Version.Major == 2,
            RetryAfter = RetryAfterHeader.In(answer, time.GetUtcNow()),
        };
        if (RetryPolicy.Judge(answer.StatusCode, plan, mayChangeForm, mayGoTo) is { } setback)
        {
            return head with { Setback = setback };
        }

        if (IsRedirect(answer.StatusCode))
        {
            // A client that follows one takes its ccp token and the conversation wherever the lane says.
            return head with { Refusal = AnswerWords.Unreadable(plan.Lane, "answered with a redirect, which ccp neither follows nor passes on") };
        }

        return !answer.IsSuccessStatusCode ? await RelayErrorAsync(plan, answer, head, id, client, stop)
            : rewrite is not null ? await RelayRewrittenAsync(plan, answer, head, id, rewrite, client, stop)
            : await RelaySuccessAsync(plan, answer, head, isStream, isMetered, money, client, stop);
    }

    private async Task<ForwardResult> RelaySuccessAsync(
        LanePlan plan, HttpResponseMessage answer, ForwardResult head, bool isStream, bool isMetered, CallMoney money, HttpContext client, CallStop stop)
    {
        if (IsEncoded(answer))
        {
            return head with { Refusal = AnswerWords.Unreadable(plan.Lane, "answered in an encoding that was not asked for and that ccp cannot meter") };
        }

        if (!await money.MakeDurableAsync())
        {
            return head with { Refusal = Ledger.AccountLedger.StoreRefusal() };
        }

        var isEvents = IsEvents(answer, isStream);
        var signatures = thinking.ListenerFor(plan.Lane.Name);
        using var meter = !isMetered ? AnswerMeter.ForUnmetered() : isEvents ? AnswerMeter.ForStream(signatures) : AnswerMeter.ForJson(signatures);
        BeginAnswer(plan, answer, client.Response);

        await using var body = await answer.Content.ReadAsStreamAsync();
        var relay = new ResponseRelay(body, client.Response.BodyWriter, client.Abort, meter, plan.Lane, stop, money, time);
        money.OnMustEnd = relay.Wake;
        active.AnswerHasBegun(stop, relay);
        try
        {
            var end = await relay.RunAsync();
            var result = head with { End = end, Reading = meter.Read(), BytesSeen = meter.BytesSeen, TimeToFirstByte = head.TimeToHead + relay.FirstByteAfter };
            return await FinishAsync(result, plan, relay, money, client);
        }
        finally
        {
            money.OnMustEnd = null;
        }
    }

    /// <summary>Tells the client, if it is still there, how its answer ended when it did not end by itself.</summary>
    private static async ValueTask<ForwardResult> FinishAsync(ForwardResult result, LanePlan plan, ResponseRelay relay, CallMoney money, HttpContext client)
    {
        var isBroken = result.End is not (RelayEnd.Complete or RelayEnd.ClientLeft) && (result.End != RelayEnd.UpstreamCut || !relay.EndedCleanly);
        if (!isBroken)
        {
            return result;
        }

        if (!relay.HasReachedClient)
        {
            client.Response.Clear();
            return result with
            {
                Refusal = result.End switch
                {
                    RelayEnd.OutOfCredit or RelayEnd.SpendLimit => money.EndRefusal,
                    RelayEnd.ShutDown => AnswerWords.ShuttingDown(),
                    _ => AnswerWords.Unreachable(plan.Lane),
                },
            };
        }

        if (relay.CanTell)
        {
            var (type, message) = AnswerWords.ForEnd(result.End, plan);
            await relay.TellAsync(ErrorBody.Event(type, message, client.Response.Headers[OwnHeaders.RequestId].ToString()));
        }
        else
        {
            // In the middle of an event nothing can be said that the client would read as ccp's: the cut is passed on as a cut.
            client.Abort();
        }

        return result;
    }

    private Task<ForwardResult> RelayRewrittenAsync(
        LanePlan plan, HttpResponseMessage answer, ForwardResult head, RequestId id, Func<ReadOnlyMemory<byte>, byte[]?> rewrite, HttpContext client, CallStop stop) =>
        RelayUnmeteredAsync(plan, answer, head, id, client, stop, async body =>
        {
            var whole = new byte[RewrittenBytesMax + 1];
            var length = IsEncoded(answer) ? 0 : await body.ReadAtLeastAsync(whole, whole.Length, throwOnEndOfStream: false, stop.Token);
            if (length > RewrittenBytesMax || rewrite(whole.AsMemory(0, length)) is not { } rewritten)
            {
                return AnswerWords.Unreadable(plan.Lane, "gave an answer that ccp cannot read, and therefore does not pass on");
            }

            BeginAnswer(plan, answer, client.Response);
            client.Response.ContentLength = rewritten.Length;
            await client.Response.BodyWriter.WriteAsync(rewritten, stop.Token);
            return null;
        });

    private Task<ForwardResult> RelayErrorAsync(LanePlan plan, HttpResponseMessage answer, ForwardResult head, RequestId id, HttpContext client, CallStop stop) =>
        RelayUnmeteredAsync(plan, answer, head, id, client, stop, async body =>
        {
            var whole = new byte[LaneFaults.ErrorBytesMax + 1];
            var length = await body.ReadAtLeastAsync(whole, whole.Length, throwOnEndOfStream: false, stop.Token);
            if (LaneFaults.InsteadOf(plan, answer.StatusCode, IsEncoded(answer), whole.AsSpan(0, length)) is { } refusal)
            {
                return refusal;
            }

            BeginAnswer(plan, answer, client.Response);
            if (length > 0)
            {
                // A status such as 304 allows no body, not even an empty one.
                client.Response.ContentLength = length;
                await client.Response.BodyWriter.WriteAsync(whole.AsMemory(0, length), stop.Token);
            }

            return null;
        });

    /// <summary>An answer that costs nothing: short, so one that stands still is given up with the lane's idle time, and when the client leaves, at once.</summary>
    /// <param name="relay">Reads the body and writes what goes to the client; or says why nothing does.</param>
    private async Task<ForwardResult> RelayUnmeteredAsync(
        LanePlan plan, HttpResponseMessage answer, ForwardResult head, RequestId id, HttpContext client, CallStop stop, Func<Stream, Task<Refusal?>> relay)
    {
        try
        {
            stop.AllowUntilAnswer(plan.Lane.IdleTimeout);
            stop.MayEndAtOnce();
            await using var body = await answer.Content.ReadAsStreamAsync(stop.Token);
            return head with { Refusal = await relay(body) };
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            if (stop.IsClientGone)
            {
                client.Abort();
                return head with { End = RelayEnd.ClientLeft };
            }

            log.LaneUnreachable(id.Value, plan.Lane.Name, LaneFaults.Describe(error));
            if (client.Response.HasStarted)
            {
                client.Abort();
                return head with { End = RelayEnd.UpstreamCut };
            }

            client.Response.Clear();
            return head with { End = RelayEnd.UpstreamCut, Refusal = AnswerWords.Unreachable(plan.Lane) };
        }
    }

    private static void BeginAnswer(LanePlan plan, HttpResponseMessage answer, HttpResponse client)
    {
        client.StatusCode = (int)answer.StatusCode;
        HeaderPolicy.CopyToClient(answer, client.Headers, plan.IsUsersOwnKey, plan.Lane.Header == LaneHeader.Passthrough ? null : plan.Key);
    }

    /// <summary>Whether an answer is to be read event by event. As the header begins: a parameter that cannot be read must not hide what is to be billed.</summary>
    /// <param name="isAsked">Decides where the provider does not say: neither "events" nor "JSON".</param>
    private static bool IsEvents(HttpResponseMessage answer, bool isAsked)
    {
        var type = answer.Content.Headers.NonValidated.TryGetValues("content-type", out var stated) ? stated.ToString() : "";
        return type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) || (isAsked && !type.Contains("json", StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsEncoded(HttpResponseMessage answer) =>
        answer.Content.Headers.NonValidated.TryGetValues("content-encoding", out var encodings)
        && !string.Equals(encodings.ToString(), "identity", StringComparison.OrdinalIgnoreCase);

    private static bool IsRedirect(HttpStatusCode status) => (int)status is >= 300 and < 400 && status != HttpStatusCode.NotModified;
}
