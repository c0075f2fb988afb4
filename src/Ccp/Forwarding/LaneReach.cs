using System.Net;
using Ccp.Configuration;

namespace Ccp.Forwarding;

/// <summary>Whether a lane answers.</summary>
/// <param name="IsReachable">It answered, with anything from 200 to 499.</param>
/// <param name="Words">What it answered, or why it did not.</param>
/// <param name="ServerTime">What time it is there, when it said so.</param>
internal sealed record LaneAnswer(bool IsReachable, string Words, DateTimeOffset? ServerTime);

/// <summary>Asks lanes whether they are there: <c>OPTIONS /v1/messages</c>, without a key and without anything of a caller's.</summary>
internal sealed class LaneReach(UpstreamClients clients, TimeProvider time)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    public async Task<LaneAnswer> AskAsync(LaneConfig lane)
    {
        using var limit = new CancellationTokenSource(Within, time);
        using var request = new HttpRequestMessage(HttpMethod.Options, new Uri(lane.BaseUrl.AbsoluteUri.TrimEnd('/') + "/v1/messages"))
        {
            Version = lane.UsesHttp2 && lane.BaseUrl.Scheme == Uri.UriSchemeHttps ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Headers.TryAddWithoutValidation("user-agent", $"ccp/{Telemetry.Product.Version}");
        try
        {
            using var answer = await clients.For(lane).SendAsync(request, limit.Token);
            var status = (int)answer.StatusCode;
            return new LaneAnswer(status is >= 200 and < 500, $"answers with {status}", answer.Headers.Date);
        }
        catch (OperationCanceledException)
        {
            return new LaneAnswer(false, $"does not answer within {Within.TotalSeconds} s", null);
        }
        catch (HttpRequestException error)
        {
            return new LaneAnswer(false, $"cannot be reached: {error.InnerException?.Message ?? error.Message}", null);
        }
    }
}
