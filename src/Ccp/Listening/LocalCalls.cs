using System.Net;
using Ccp.Refusals;
using Microsoft.AspNetCore.Http;

namespace Ccp.Listening;

/// <summary>Local mode asks for no secret, so everything else must be right: a call is the local user's only when no web page and no other host can have made it.</summary>
/// <remarks>
/// Programs send none of what is refused here. Browsers send <c>origin</c> with every POST, and name the page's kind of site with the rest; a page whose name
/// was rebound to this host sends that name as <c>host</c>; proxies add a header for whom they speak, or pass a foreign name on. The same holds on a unix socket.
/// </remarks>
internal static class LocalCalls
{
    private const string Here = "ccp serves one local user here, without a token, and this call";
    private const string Tokens = "ccp's operator can give tokens to users (auth.mode = \"tokens\").";
    private const string ProxyPrefix = "x-forwarded";

    private static readonly string[] ProxyHeaders = ["forwarded", "x-real-ip", "via"];

    /// <returns>Null when nothing speaks against it.</returns>
    public static Refusal? RefusalOf(HttpContext http)
    {
        var headers = http.Request.Headers;

        // A unix socket has no address.
        if (http.Connection.RemoteIpAddress is { } peer && !IPAddress.IsLoopback(peer))
        {
            return No($"comes from another host, {peer}. Call from ccp's own host; for others, {Tokens}");
        }

        // Whatever it says: a page from this host's own disk sends "null".
        if (headers.ContainsKey("origin"))
        {
            return No($"comes from a web page, since it has an Origin header. Call from a program instead; for pages, {Tokens}");
        }

        if (headers.TryGetValue("sec-fetch-site", out var site) && site.ToString() is not ("none" or "same-origin"))
        {
            return No($"comes from a web page of another site, as its Sec-Fetch-Site header says. Call from a program instead; for pages, {Tokens}");
        }

        if (!IsLoopback(http.Request.Host))
        {
            return No($"names another host in its Host header. Call it http://127.0.0.1 or http://localhost, with ccp's port; for other names, {Tokens}");
        }

        return ProxyHeaderIn(headers) is { } name
            ? No($"came through a proxy, since it has the header {name}, so that it may be anybody's. Call ccp directly (NO_PROXY=127.0.0.1,localhost); for calls through a proxy, {Tokens}")
            : null;
    }

    private static Refusal No(string why) => new(RefusalCode.NotFromLocalUser, $"{Here} {why}");

    /// <summary>A name that a rebinding page could not have. The port is no matter: tunnels and containers change it.</summary>
    private static bool IsLoopback(HostString host) =>
        string.Equals(host.Host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Host, out var address) && IPAddress.IsLoopback(address));

    private static string? ProxyHeaderIn(IHeaderDictionary headers)
    {
        foreach (var (name, _) in headers)
        {
            if (name.StartsWith(ProxyPrefix, StringComparison.OrdinalIgnoreCase))
            {
                return $"{ProxyPrefix}-…";
            }

            if (ProxyHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                return name.ToLowerInvariant();
            }
        }

        return null;
    }
}
