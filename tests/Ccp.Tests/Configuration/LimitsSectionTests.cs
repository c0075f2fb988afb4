using System.Net;
using Ccp.Configuration;
using Ccp.Pricing;

namespace Ccp.Tests.Configuration;

public sealed class LimitsSectionTests
{
    [Fact]
    public void Without_a_file_sixteen_calls_at_once_are_allowed_and_nothing_else_is_limited()
    {
        var config = ConfigReader.Default(_ => null).Config!;

        Assert.Equal(UserLimits.BuiltIn, config.Limits);
        Assert.Equal(16, config.Limits.Concurrent);
        Assert.Equal(20, config.Auth.FailedAttemptsPerMinute);
        Assert.Empty(config.Server.TrustedProxies);
    }

    [Fact]
    public void Every_limit_is_read_and_a_user_s_own_come_over_the_general_ones()
    {
        var config = Configured.Good("""
            [server]
            trusted_proxies = ["10.0.0.0/8", "::1"]
            [auth]
            failed_attempts_per_minute = 0
            [limits]
            concurrent = 4
            requests_per_minute = 60
            tokens_per_minute = 100000
            spend_per_day = 20
            spend_per_month = "200.50"
            [[user]]
            name = "alice"
            models = ["claude-haiku-*"]
            allow_from = "192.0.2.7"
            expires = 2027-01-31
            limits = { concurrent = 8, spend_per_day = 0 }
            """);

        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("::1/128")], config.Server.TrustedProxies);
        Assert.Equal(0, config.Auth.FailedAttemptsPerMinute);
        Assert.Equal(new UserLimits(4, 60, 100_000, Dollars(20_000), Dollars(200_500), [], [], null), config.Limits);
        var alice = Assert.Single(config.Users).Limits.Over(config.Limits);
        Assert.Equal((8, 60L, 100_000L, NanoUsd.Zero, Dollars(200_500)), (alice.Concurrent, alice.RequestsPerMinute, alice.TokensPerMinute, alice.SpendPerDay, alice.SpendPerMonth));
        Assert.Equal(["claude-haiku-*"], alice.Models);
        Assert.Equal([IPNetwork.Parse("192.0.2.7/32")], alice.AllowFrom);
        Assert.Equal(new DateTimeOffset(2027, 1, 31, 0, 0, 0, TimeSpan.Zero), alice.Expires);
    }

    [Theory]
    [InlineData("[limits]\nconcurrent = 0", "config.toml:2:14: limits.concurrent: expected a whole number from 1 to 1000000, found 0")]
    [InlineData("[limits]\nconcurrent = '8'", "config.toml:2:14: limits.concurrent: expected a whole number from 1 to 1000000, found \"8\"")]
    [InlineData("[limits]\nrequests_per_minute = -1", "config.toml:2:23: limits.requests_per_minute: expected a whole number from 0 to 1000000000, found -1")]
    [InlineData("[limits]\nspend_per_day = 1e3", "config.toml:2:17: limits.spend_per_day: expected dollars from 0 to 1000000000, with at most 9 decimals and no exponent, found 1e3")]
    [InlineData("[limits]\nspend_per_week = 1", "config.toml:2:1: limits.spend_per_week: there is no such setting; did you mean \"spend_per_day\"?")]
    [InlineData("[limits]\nmodels = ['a']", "config.toml:2:1: limits.models: there is no such setting")]
    [InlineData("[auth]\nfailed_attempts_per_minute = true", "config.toml:2:30: auth.failed_attempts_per_minute: expected a whole number from 0 to 1000000, found true")]
    [InlineData("[server]\ntrusted_proxies = ['10.0.0.0/8', '10.1.2.3/8']", "config.toml:2:34: server.trusted_proxies: expected an address range such as \"10.0.0.0/8\" or \"2001:db8::/32\", or one address, found \"10.1.2.3/8\"")]
    [InlineData("[[user]]\nname = 'a'\nlimits = { concurrent = 0 }", "config.toml:3:25: user.limits.concurrent: expected a whole number from 1 to 1000000, found 0")]
    [InlineData("[[user]]\nname = 'a'\nlimits = { models = ['a'] }", "config.toml:3:12: user.limits.models: there is no such setting")]
    [InlineData("[[user]]\nname = 'a'\nlimits = 5", "config.toml:3:10: user.limits: expected a table, found 5")]
    [InlineData("[[user]]\nname = 'a'\nmodels = ['a b']", "config.toml:3:11: user.models: expected a model's id, or a pattern such as \"claude-haiku-*\", found \"a b\"")]
    [InlineData("[[user]]\nname = 'a'\nallow_from = ['10.0.0.0/33']", "config.toml:3:15: user.allow_from: expected an address range such as \"10.0.0.0/8\" or \"2001:db8::/32\", or one address, found \"10.0.0.0/33\"")]
    [InlineData("[[user]]\nname = 'a'\nexpires = '2027-01-01'", "config.toml:3:11: user.expires: expected a date (2026-10-01, without quotes) or a date with a time, found \"2027-01-01\"")]
    [InlineData("[[user]]\nname = 'a'\nadmin = true\nlimits = { spend_per_day = 5 }", "config.toml:4:10: user.limits: spend_per_day and spend_per_month count what a user is charged, and admins and users with billing = false are charged nothing")]
    [InlineData("[[user]]\nname = 'a'\nbilling = false\nlimits = { spend_per_month = 5 }", "config.toml:4:10: user.limits: spend_per_day and spend_per_month count what a user is charged, and admins and users with billing = false are charged nothing")]
    public void A_limit_that_cannot_be_kept_is_a_problem_with_its_place(string toml, string problem)
    {
        Assert.Equal(problem, Configured.Problem(toml));
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("10.0.0.1", "10.0.0.1/32")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("::/0", "::/0")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("2001:db8::1", "2001:db8::1/128")]
    [InlineData("10.0.0.0/33", null)]
    [InlineData("10.0.0.0/", null)]
    [InlineData("10.0.0.0/+8", null)]
    [InlineData("10.0.0.0/-1", null)]
    [InlineData("10.0.0.1/31", null)]
    [InlineData("10/8", null)]
    [InlineData("10.1", null)]
    [InlineData("::ffff:10.0.0.1", null)]
    [InlineData("fe80::1%1", null)]
    [InlineData("example.org", null)]
    [InlineData("", null)]
    public void An_address_range_is_what_it_says_or_nothing(string text, string? range)
    {
        Assert.Equal(range is not null, AddressRange.TryParse(text, out var parsed));
        if (range is not null)
        {
            Assert.Equal(range, parsed.ToString());
        }
    }

    private static NanoUsd Dollars(long thousandths) => new(thousandths * 1_000_000);
}
