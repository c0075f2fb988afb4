using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Ccp.Crash.Calls;

/// <summary>The client's side of a call.</summary>
internal static class Caller
{
    /// <summary>No call of a run takes so long: one that does stands still.</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(100);

    /// <summary>Makes the call and notes in it what arrives. A connection that breaks is no error here: it is what a kill looks like from outside.</summary>
    public static async Task RunAsync(HttpClient client, Uri address, string token, Call call)
    {
        using var limit = new CancellationTokenSource(EndsWithin);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(limit.Token);
        using var over = new CancellationTokenSource();
        var departure = call.Plan.LeavesAfter is { } after ? LeaveAsync(call, after, leaving, over.Token) : Task.CompletedTask;
        try
        {
            using var request = RequestFor(address, token, call);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
            if (!answer.IsSuccessStatusCode)
            {
                call.RefusedWith = (int)answer.StatusCode;
                call.RefusedBecause = await answer.Content.ReadAsStringAsync(leaving.Token);
                return;
            }

            call.HeadArrived();
            await ReadAsync(answer, call, leaving.Token);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException || (error is OperationCanceledException && !limit.IsCancellationRequested))
        {
            // Killed, cut, or left: what arrived until then is noted. A bare SocketException is what HttpClient lets through of a process that dies while it connects.
        }
        finally
        {
            await over.CancelAsync();
            await departure;
            call.IsOver = true;
        }
    }

    private static async Task ReadAsync(HttpResponseMessage answer, Call call, CancellationToken cancellation)
    {
        await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
        var piece = new byte[4096];
        int read;
        while ((read = await body.ReadAsync(piece, cancellation)) > 0)
        {
            call.Received(piece.AsSpan(0, read));
        }

        call.Ended();
    }

    private static async Task LeaveAsync(Call call, TimeSpan after, CancellationTokenSource leaving, CancellationToken over)
    {
        try
        {
            await Task.Delay(after, over);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        // Noted first: from the next line on ccp may see it.
        call.HasLeft = true;
        await leaving.CancelAsync();
    }

    private static HttpRequestMessage RequestFor(Uri address, string token, Call call)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, "v1/messages?beta=true")) { Content = new ByteArrayContent(call.Plan.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Add("x-claude-code-session-id", call.Plan.Session);
        return request;
    }
}
