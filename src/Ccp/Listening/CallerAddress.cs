using System.Net;
using Microsoft.AspNetCore.Http;

namespace Ccp.Listening;

/// <summary>Where a request comes from: the other end of the connection, or whom a trusted proxy names.</summary>
internal static class CallerAddress
{
    private const string ForwardedFor = "x-forwarded-for";

    /// <param name="trusted">Proxies whose <c>x-forwarded-for</c> is believed. Each appends whom it heard from, so the header is read from its end.</param>
    /// <returns>IPv4 as such, never mapped into IPv6. A unix socket counts as 127.0.0.1.</returns>
    public static IPAddress Of(HttpContext http, IReadOnlyList<IPNetwork> trusted)
    {
        var address = Plain(http.Connection.RemoteIpAddress ?? IPAddress.Loopback);
        if (trusted.Count == 0 || !Contains(trusted, address))
        {
            return address;
        }

        var hops = string.Join(',', http.Request.Headers[ForwardedFor].AsEnumerable()).Split(',', StringSplitOptions.TrimEntries);
        for (var hop = hops.Length - 1; hop >= 0; hop--)
        {
            // Some proxies add the port. What is no address ends the search: whoever wrote it, it was not a proxy one can trust.
            if (!IPEndPoint.TryParse(hops[hop], out var named))
            {
                return address;
            }

            address = Plain(named.Address);
            if (!Contains(trusted, address))
            {
                return address;
            }
        }

        return address;
    }

    private static bool Contains(IReadOnlyList<IPNetwork> ranges, IPAddress address)
    {
        foreach (var range in ranges)
        {
            if (range.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
