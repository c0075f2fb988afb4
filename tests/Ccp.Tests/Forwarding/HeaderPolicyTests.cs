using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Tests.Configuration;
using Microsoft.AspNetCore.Http;

namespace Ccp.Tests.Forwarding;

/// <summary>Every header that matters, both ways: what crosses, and what stays.</summary>
public sealed class HeaderPolicyTests
{
    [Theory]
    [InlineData("anthropic-version")]
    [InlineData("anthropic-beta")]
    [InlineData("anthropic-dangerous-direct-browser-access")]
    [InlineData("anthropic-made-up-tomorrow")]
    [InlineData("user-agent")]
    [InlineData("accept")]
    [InlineData("x-app")]
    [InlineData("x-stainless-retry-count")]
    [InlineData("x-stainless-os")]
    [InlineData("x-claude-code-session-id")]
    [InlineData("x-claude-code-agent-id")]
    [InlineData("x-named-by-the-lane")]
    public void These_go_to_the_upstream_as_they_came_however_they_are_written(string name)
    {
        Assert.Equal("value; q=1, \"x\"", Sent(name, "value; q=1, \"x\"").GetValueOrDefault(name));
        Assert.Equal("value", Sent(name.ToUpperInvariant(), "value").GetValueOrDefault(name));
    }

    [Theory]
    [InlineData("anthropic-version", true)]
    [InlineData("anthropic-beta", true)]
    [InlineData("user-agent", true)]
    [InlineData("accept", true)]
    [InlineData("x-named-by-the-lane", true)]
    [InlineData("x-app", false)]
    [InlineData("x-stainless-os", false)]
    [InlineData("x-claude-code-session-id", false)]
    [InlineData("x-claude-code-agent-id", false)]
    public void Who_asks_from_where_is_for_the_anthropic_lane_alone(string name, bool crosses)
    {
        var lane = Configured.Good("").Lanes[1] with { ForwardHeaders = ["x-named-by-the-lane"] };
        Assert.Equal(crosses, Sent(name, "value", lane).ContainsKey(name));
        Assert.Equal(crosses, Sent(name.ToUpperInvariant(), "value", lane).ContainsKey(name.ToUpperInvariant()));
    }

    [Theory]
    [InlineData("authorization")]
    [InlineData("x-api-key")]
    [InlineData("x-auth-token")]
    [InlineData("cookie")]
    [InlineData("proxy-authorization")]
    [InlineData("proxy-connection")]
    [InlineData("proxy-anything")]
    [InlineData("host")]
    [InlineData("forwarded")]
    [InlineData("x-forwarded-for")]
    [InlineData("x-forwarded-proto")]
    [InlineData("x-real-ip")]
    [InlineData("x-ccp-token")]
    [InlineData("x-ccp-request-id")]
    [InlineData("connection")]
    [InlineData("keep-alive")]
    [InlineData("te")]
    [InlineData("trailer")]
    [InlineData("transfer-encoding")]
    [InlineData("upgrade")]
    [InlineData("expect")]
    [InlineData("content-length")]
    [InlineData("content-language")]
    [InlineData("content-encoding")]
    [InlineData("last-modified")]
    [InlineData("allow")]
    [InlineData("expires")]
    public void These_never_go_to_an_upstream_even_if_a_lane_names_them(string name)
    {
        var lane = Lane() with { ForwardHeaders = [name] };
        Assert.True(HeaderPolicy.MayNeverBeForwarded(name));
        Assert.True(HeaderPolicy.MayNeverBeForwarded(name.ToUpperInvariant()));
        Assert.DoesNotContain("canary", string.Join(' ', Sent(name, "canary", lane).Values), StringComparison.Ordinal);
        Assert.DoesNotContain("canary", string.Join(' ', Sent(name.ToUpperInvariant(), "canary", lane).Values), StringComparison.Ordinal);
    }

    /// <summary>The client library has a place of its own for headers that describe a body, and takes them nowhere else, without a word.</summary>
    [Theory]
    [InlineData("x-team")]
    [InlineData("accept-language")]
    [InlineData("baggage")]
    [InlineData("date")]
    [InlineData("etag")]
    [InlineData("from")]
    [InlineData("if-none-match")]
    [InlineData("location")]
    [InlineData("origin")]
    [InlineData("retry-after")]
    [InlineData("server")]
    [InlineData("vary")]
    [InlineData("via")]
    [InlineData("www-authenticate")]
    [InlineData("allow")]
    [InlineData("content-disposition")]
    [InlineData("content-encoding")]
    [InlineData("content-language")]
    [InlineData("content-location")]
    [InlineData("content-md5")]
    [InlineData("content-range")]
    [InlineData("expires")]
    [InlineData("last-modified")]
    public void What_a_lane_may_name_is_sent(string name) =>
        Assert.Equal(!HeaderPolicy.MayNeverBeForwarded(name), Sent(name, "canary", Lane() with { ForwardHeaders = [name] }).ContainsKey(name));

    [Theory]
    [InlineData("x-custom")]
    [InlineData("cf-access-client-secret")]
    [InlineData("x-vpn-token")]
    [InlineData("origin")]
    [InlineData("referer")]
    [InlineData("via")]
    [InlineData("traceparent")]
    [InlineData("accept-language")]
    [InlineData("xanthropic-beta")]
    [InlineData("x-anthropic-billing-header")]
    public void What_nobody_named_stays(string name)
    {
        Assert.DoesNotContain("canary", string.Join(' ', Sent(name, "canary").Values), StringComparison.Ordinal);
    }

    [Fact]
    public void The_upstream_is_asked_for_an_answer_that_can_be_read()
    {
        Assert.Equal("identity", Sent("Accept-Encoding", "gzip, br")["accept-encoding"]);
    }

    [Theory]
    [InlineData("close, Anthropic-Beta", true)]
    [InlineData("anthropic-beta", true)]
    [InlineData("keep-alive,anthropic-beta ,x", true)]
    [InlineData("keep-alive", false)]
    [InlineData("anthropic-bet", false)]
    public void What_the_connection_names_belongs_to_this_hop(string connection, bool stays)
    {
        var headers = new HeaderDictionary { ["Connection"] = connection, ["anthropic-beta"] = "x" };
        Assert.Equal(!stays, Sent(headers, Lane()).ContainsKey("anthropic-beta"));

        using var answer = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        answer.Headers.TryAddWithoutValidation("Connection", connection);
        answer.Headers.TryAddWithoutValidation("anthropic-beta", "x");
        Assert.Equal(!stays, Returned(answer).ContainsKey("anthropic-beta"));
    }

    [Theory]
    [InlineData("x-api-key", "sk-lane")]
    [InlineData("authorization", "Bearer sk-lane")]
    public void The_lanes_key_takes_the_place_of_the_callers(string header, string value)
    {
        var lane = Lane() with { Header = header == "x-api-key" ? LaneHeader.ApiKey : LaneHeader.Authorization };
        using var request = new HttpRequestMessage();
        HeaderPolicy.CopyToUpstream(new HeaderDictionary { ["Authorization"] = "Bearer canary", ["x-api-key"] = "canary", ["x-auth-token"] = "canary" }, request, lane);
        HeaderPolicy.AddCredential(request, lane.Header, new Secret("sk-lane"));

        var sent = Flat(request);
        Assert.Equal(value, sent[header]);
        Assert.Equal(["accept-encoding", header], sent.Keys.Order(StringComparer.Ordinal).Select(name => name.ToLowerInvariant()));
    }

    [Theory]
    [InlineData("request-id")]
    [InlineData("retry-after")]
    [InlineData("x-should-retry")]
    [InlineData("content-type")]
    [InlineData("date")]
    [InlineData("anthropic-beta")]
    [InlineData("x-made-up-tomorrow")]
    [InlineData("www-authenticate")]
    public void These_come_back_untouched(string name)
    {
        Assert.Equal("5", Returned(name, "5").GetValueOrDefault(name));
    }

    [Theory]
    [InlineData("set-cookie")]
    [InlineData("server")]
    [InlineData("via")]
    [InlineData("alt-svc")]
    [InlineData("cf-ray")]
    [InlineData("CF-Cache-Status")]
    [InlineData("content-length")]
    [InlineData("anthropic-organization-id")]
    [InlineData("Anthropic-Organization-Id")]
    [InlineData("connection")]
    [InlineData("keep-alive")]
    [InlineData("proxy-authenticate")]
    [InlineData("te")]
    [InlineData("trailer")]
    [InlineData("upgrade")]
    [InlineData("x-ccp-request-id")]
    [InlineData("X-CCP-Anything")]
    public void These_do_not_come_back(string name)
    {
        Assert.DoesNotContain("canary", string.Join(' ', Returned(name, "canary").Values), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rate_limits_are_shown_to_the_owner_of_the_key_only(bool isUsersOwnKey)
    {
        using var answer = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        answer.Headers.TryAddWithoutValidation("Anthropic-RateLimit-Tokens-Remaining", "5");
        Assert.Equal(isUsersOwnKey, Returned(answer, isUsersOwnKey).ContainsKey("anthropic-ratelimit-tokens-remaining"));
    }

    [Theory]
    [InlineData("key-of-16-letter", "Bearer key-of-16-letter", false)]
    [InlineData("key-of-15-lette", "Bearer key-of-15-lette", true)]
    [InlineData("ollama", "served by ollama", true)]
    [InlineData("1", "1", true)]
    public void A_header_that_repeats_the_key_stays_where_the_key_is_long_enough_to_be_a_secret(string key, string value, bool returns)
    {
        using var answer = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        answer.Headers.TryAddWithoutValidation("x-note", value);
        var headers = new HeaderDictionary();
        HeaderPolicy.CopyToClient(answer, headers, isUsersOwnKey: false, new Secret(key));
        Assert.Equal(returns, headers.ContainsKey("x-note"));
    }

    [Fact]
    public void A_header_that_comes_several_times_comes_back_so()
    {
        using var answer = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        answer.Headers.TryAddWithoutValidation("x-many", ["a", "b"]);
        Assert.Equal("a,b", Returned(answer)["x-many"]);
    }

    private static LaneConfig Lane() => Configured.Good("").Lanes[0] with { ForwardHeaders = ["x-named-by-the-lane"] };

    private static Dictionary<string, string> Sent(string name, string value, LaneConfig? lane = null) =>
        Sent(new HeaderDictionary { [name] = value }, lane ?? Lane());

    private static Dictionary<string, string> Sent(HeaderDictionary headers, LaneConfig lane)
    {
        using var request = new HttpRequestMessage();
        HeaderPolicy.CopyToUpstream(headers, request, lane);
        return Flat(request);
    }

    private static Dictionary<string, string> Flat(HttpRequestMessage request) =>
        request.Headers.NonValidated.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);

    private static Dictionary<string, string> Returned(string name, string value)
    {
        using var answer = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        if (!answer.Headers.TryAddWithoutValidation(name, value))
        {
            answer.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return Returned(answer);
    }

    private static Dictionary<string, string> Returned(HttpResponseMessage answer, bool isUsersOwnKey = false)
    {
        var headers = new HeaderDictionary();
        HeaderPolicy.CopyToClient(answer, headers, isUsersOwnKey, key: null);
        return headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
    }
}
