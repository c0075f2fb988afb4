using System.Buffers;
using System.Net;
using Ccp.Configuration;
using Ccp.Routing;
using Microsoft.AspNetCore.Http;

namespace Ccp.Forwarding;

/// <summary>Builds what is sent: the caller's credentials out, the lane's in, path and query as they came.</summary>
internal static class UpstreamRequest
{
    private static readonly SearchValues<char> NotInTargets = SearchValues.Create([.. Enumerable.Range(0, '!').Append(0x7F).Select(code => (char)code)]);

    /// <summary>Whether a path and query may be sent on as they came. The web server lets control characters pass, and a line break among them would begin a header of the caller's making.</summary>
    /// <param name="target">As it stood in the request line.</param>
    public static bool MaySend(string target) => !target.AsSpan().ContainsAny(NotInTargets);

    /// <param name="form">The header that the key goes in.</param>
    /// <param name="path">From <c>/v1/</c> on, without the prefix it was called under.</param>
    /// <param name="body">Null for calls without one.</param>
    public static HttpRequestMessage Build(LanePlan plan, LaneHeader form, HttpRequest from, string path, PooledBodyContent? body)
    {
        // Not canonicalised: a query must arrive as it was sent, whatever is escaped in it.
        var target = new Uri(
            plan.Lane.BaseUrl.AbsoluteUri.TrimEnd('/') + path + from.QueryString.Value,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(new HttpMethod(from.Method), target)
        {
            Version = plan.Lane.UsesHttp2 && target.Scheme == Uri.UriSchemeHttps ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            Content = body,
        };
        HeaderPolicy.CopyToUpstream(from.Headers, request, plan.Lane);
        HeaderPolicy.AddCredential(request, form, plan.Key);
        if (body is not null && from.ContentType is { } contentType)
        {
            body.Headers.TryAddWithoutValidation("content-type", contentType);
        }

        return request;
    }
}
