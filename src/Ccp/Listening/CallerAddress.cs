using System.Net;
using Ccp.Limits;
using Microsoft.AspNetCore.Http;

namespace Ccp.Listening;

/// <summary>Where a request comes from: the other end of the connection, or whom a trusted proxy names.</summary>
internal static class CallerAddress
{
    private const string ForwardedFor = "x-forwarded-for";

    /// <param name="trusted">Proxies whose <c>x-forwarded-for</c> is believed. Each appends whom it heard from, so the header is read from its end.</param>
    /// <returns>A unix socket counts as 127.0.0.1, also where that is a trusted proxy.</returns>
    public static Caller Of(HttpContext http, IReadOnlyList<IPNetwork> trusted)
    {
        var address = Plain(http.Connection.RemoteIpAddress ?? IPAddress.Loopback);
        if (trusted.Count == 0 || !Contains(trusted, address))
        {
            return new Caller(address);
        }

        var hops = string.Join(',', http.Request.Headers[ForwardedFor].AsEnumerable()).Split(',', StringSplitOptions.TrimEntries);
        for (var hop = hops.Length - 1; hop >= 0; hop--)
        {
            // Some proxies add the port. What is no address, or nothing, ends the search: the proxy does not say from whom it heard.
            if (!IPEndPoint.TryParse(hops[hop], out var named))
            {
                return new Caller(address, IsKnown: false);
            }

            address = Plain(named.Address);
            if (!Contains(trusted, address))
            {
                return new Caller(address);
            }
        }

        return new Caller(address);
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
