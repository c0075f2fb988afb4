using System.Net;
using Ccp.Admin;
using Ccp.Tests.Configuration;
using Ccp.Tests.Shared;
using Microsoft.AspNetCore.Http;

namespace Ccp.Tests.Admin;

public sealed class OwnHostTests
{
    [Theory]
    [InlineData("127.0.0.1", null, 401)]
    [InlineData("127.0.0.1", "127.0.0.1", 401)]
    [InlineData("127.0.0.1", "203.0.113.7", 403)]
    [InlineData("203.0.113.7", null, 403)]
    [InlineData("203.0.113.7", "127.0.0.1", 403)]
    // The proxy's own host is not ccp's, and what a trusted range names may be anybody's words.
    [InlineData("10.0.0.1", "127.0.0.1", 403)]
    [InlineData("10.0.0.1", "127.0.0.1, 10.0.0.2", 403)]
    [InlineData("10.0.0.1", "::1", 403)]
    public async Task Administration_is_for_connections_of_this_host_whatever_a_proxy_says(string remote, string? forwardedFor, int expected)
    {
        const string Toml = """
            [server]
            trusted_proxies = ["127.0.0.0/8", "10.0.0.0/8"]
            """;
        await using var till = TillUnderTest.WithConfig();
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Parse(remote);
        http.Request.Method = "GET";
        http.Request.Host = new HostString("localhost");
        http.Request.Path = "/admin/users";
        if (forwardedFor is not null)
        {
            http.Request.Headers["x-forwarded-for"] = forwardedFor;
        }

        await new AdminEndpoint(till.Api, till.Till.Admission, Configured.Good(Toml).Server, "ccp.sock").AnswerAsync(http);

        Assert.Equal(expected, http.Response.StatusCode);
    }
}
