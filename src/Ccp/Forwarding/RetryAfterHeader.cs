using System.Net.Http.Headers;

namespace Ccp.Forwarding;

/// <summary>Reads <c>retry-after</c> without touching it: the client gets it as it came.</summary>
internal static class RetryAfterHeader
{
    /// <returns>Null when there is none, or none that can be read. Zero for a moment that has passed.</returns>
    public static TimeSpan? In(HttpResponseMessage answer, DateTimeOffset now)
    {
        if (!answer.Headers.NonValidated.TryGetValues("retry-after", out var stated) || !RetryConditionHeaderValue.TryParse(stated.ToString(), out var wait))
        {
            return null;
        }

        var left = wait.Delta ?? wait.Date - now;
        return left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }
}
