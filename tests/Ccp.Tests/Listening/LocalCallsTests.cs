using System.Net;
using Ccp.Listening;
using Ccp.Refusals;
using Microsoft.AspNetCore.Http;

namespace Ccp.Tests.Listening;

/// <summary>What may be the local user's call, and what a web page or another host may have made.</summary>
public sealed class LocalCallsTests
{
    [Theory]
    [InlineData("localhost")]
    [InlineData("LocalHost:8082")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("127.8.9.10:65535")]
    [InlineData("[::1]")]
    [InlineData("[::1]:8082")]
    public void A_call_to_this_host_by_a_name_of_its_own_is_the_local_user_s(string host)
    {
        Assert.Null(LocalCalls.RefusalOf(Call(host)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("evil.example")]
    [InlineData("evil.example:8082")]
    [InlineData("localhost.evil.example")]
    [InlineData("localhost.")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("192.168.1.7:8082")]
    [InlineData("0.0.0.0:8082")]
    [InlineData("[::]:8082")]
    [InlineData("[2001:db8::1]:8082")]
    public void A_page_that_had_its_name_rebound_is_refused(string host)
    {
        AssertRefused(Call(host), "Host header");
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://127.0.0.1:8082")]
    [InlineData("null")]
    [InlineData("")]
    public void An_origin_is_refused_whatever_it_says(string origin)
    {
        AssertRefused(Call(header: ("Origin", origin)), "Origin header");
    }

    [Theory]
    [InlineData("cross-site", false)]
    [InlineData("same-site", false)]
    [InlineData("", false)]
    [InlineData("None", false)]
    [InlineData("anything", false)]
    [InlineData("none", true)]
    [InlineData("same-origin", true)]
    public void A_page_of_another_site_is_refused(string site, bool isServed)
    {
        var call = Call(header: ("sec-fetch-site", site));
        if (isServed)
        {
            Assert.Null(LocalCalls.RefusalOf(call));
        }
        else
        {
            AssertRefused(call, "Sec-Fetch-Site");
        }
    }

    [Fact]
    public void Sites_that_disagree_are_refused()
    {
        var call = Call();
        call.Request.Headers["sec-fetch-site"] = new(["none", "cross-site"]);

        AssertRefused(call, "Sec-Fetch-Site");
    }

    [Theory]
    [InlineData("forwarded", "for=127.0.0.1", "forwarded")]
    [InlineData("Forwarded", "", "forwarded")]
    [InlineData("x-forwarded-for", "127.0.0.1", "x-forwarded-…")]
    [InlineData("X-Forwarded-Host", "localhost", "x-forwarded-…")]
    [InlineData("x-forwarded-proto", "http", "x-forwarded-…")]
    [InlineData("x-forwarded-anything", "", "x-forwarded-…")]
    [InlineData("x-real-ip", "127.0.0.1", "x-real-ip")]
    [InlineData("Via", "1.1 proxy", "via")]
    public void What_came_through_a_proxy_may_be_anybody_s(string name, string value, string shown)
    {
        AssertRefused(Call(header: (name, value)), $"the header {shown},");
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.4.5.6", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData(null, true)]
    [InlineData("192.168.1.7", false)]
    [InlineData("::ffff:192.168.1.7", false)]
    [InlineData("2001:db8::1", false)]
    public void Another_host_is_refused_and_a_unix_socket_is_this_one(string? peer, bool isServed)
    {
        var call = Call();
        call.Connection.RemoteIpAddress = peer is null ? null : IPAddress.Parse(peer);
        if (isServed)
        {
            Assert.Null(LocalCalls.RefusalOf(call));
        }
        else
        {
            AssertRefused(call, "another host");
        }
    }

    [Fact]
    public void What_programs_send_is_not_refused()
    {
        var call = Call();
        foreach (var name in new[] { "authorization", "x-api-key", "sec-fetch-mode", "referer", "x-stainless-os", "x-app", "x-client-ip-not" })
        {
            call.Request.Headers[name] = "anything";
        }

        Assert.Null(LocalCalls.RefusalOf(call));
    }

    private static void AssertRefused(HttpContext call, string word)
    {
        var refusal = LocalCalls.RefusalOf(call);

        Assert.NotNull(refusal);
        Assert.Equal(RefusalCode.NotFromLocalUser, refusal.Code);
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith("(auth.mode = \"tokens\").", refusal.Message, StringComparison.Ordinal);
    }

    private static DefaultHttpContext Call(string host = "127.0.0.1:8082", (string Name, string Value)? header = null)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Loopback;
        http.Request.Headers.Host = host;
        if (header is { } given)
        {
            http.Request.Headers[given.Name] = given.Value;
        }

        return http;
    }
}
