using System.Net;
using Ccp.Listening;
using Microsoft.AspNetCore.Http;

namespace Ccp.Tests.Listening;

public sealed class CallerAddressTests
{
    private static readonly IPNetwork[] Trusted = [IPNetwork.Parse("127.0.0.1/32"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8::/32")];

    [Theory]
    // Somebody who is no trusted proxy speaks for himself.
    [InlineData("198.51.100.9", null, true)]
    [InlineData("10.0.0.1", "203.0.113.7", true)]
    [InlineData("10.0.0.1", "10.0.0.3,10.0.0.2", true)]
    // A trusted proxy that names nobody, or nobody readable, may speak for anybody.
    [InlineData("10.0.0.1", null, false)]
    [InlineData("127.0.0.1", null, false)]
    [InlineData("127.0.0.1", "", false)]
    [InlineData("10.0.0.1", "203.0.113.7, unknown", false)]
    [InlineData("10.0.0.1", "203.0.113.7, unknown, 10.0.0.2", false)]
    [InlineData(null, null, false)]
    public void Behind_a_trusted_proxy_only_who_is_named_is_known(string? remote, string? forwardedFor, bool isKnown)
    {
        Assert.Equal(isKnown, CallerAddress.Of(Request(remote, forwardedFor), Trusted).IsKnown);
        Assert.True(CallerAddress.Of(Request(remote, forwardedFor), []).IsKnown);
    }

    [Theory]
    // From one who is not trusted the header is worth nothing.
    [InlineData("198.51.100.9", "203.0.113.7", "198.51.100.9")]
    [InlineData("198.51.100.9", null, "198.51.100.9")]
    [InlineData("10.0.0.1", null, "10.0.0.1")]
    [InlineData("10.0.0.1", "203.0.113.7", "203.0.113.7")]
    [InlineData("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7")]
    [InlineData("::ffff:198.51.100.9", "203.0.113.7", "198.51.100.9")]
    [InlineData("2001:db8::5", "2001:db9::1", "2001:db9::1")]
    // Each proxy appends whom it heard from: what stands further left was written by whoever called the first one.
    [InlineData("10.0.0.1", "1.1.1.1, 203.0.113.7", "203.0.113.7")]
    [InlineData("10.0.0.1", "1.1.1.1, 203.0.113.7 ,10.0.0.2", "203.0.113.7")]
    [InlineData("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3")]
    [InlineData("10.0.0.1", "203.0.113.7:4711", "203.0.113.7")]
    [InlineData("10.0.0.1", "[2001:db9::1]:4711", "2001:db9::1")]
    [InlineData("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7")]
    // What is no address ends the search.
    [InlineData("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1")]
    [InlineData("10.0.0.1", "203.0.113.7, unknown, 10.0.0.2", "10.0.0.2")]
    [InlineData("10.0.0.1", "", "10.0.0.1")]
    // A unix socket has no address.
    [InlineData(null, null, "127.0.0.1")]
    [InlineData(null, "203.0.113.7", "203.0.113.7")]
    public void Only_trusted_proxies_are_believed(string? remote, string? forwardedFor, string expected)
    {
        Assert.Equal(IPAddress.Parse(expected), CallerAddress.Of(Request(remote, forwardedFor), Trusted).Address);
    }

    [Fact]
    public void With_nobody_trusted_the_header_is_not_looked_at()
    {
        Assert.Equal(IPAddress.Loopback, CallerAddress.Of(Request("127.0.0.1", "203.0.113.7"), []).Address);
    }

    [Fact]
    public void Several_headers_are_one_list()
    {
        var http = Request("10.0.0.1", null);
        http.Request.Headers["x-forwarded-for"] = new(["1.1.1.1", "203.0.113.7, 10.0.0.2"]);
        Assert.Equal(IPAddress.Parse("203.0.113.7"), CallerAddress.Of(http, Trusted).Address);
    }

    private static DefaultHttpContext Request(string? remote, string? forwardedFor)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        if (forwardedFor is not null)
        {
            http.Request.Headers["x-forwarded-for"] = forwardedFor;
        }

        return http;
    }
}
