using System.Net;
using Ccp.Limits;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Limits;

public sealed class FailedTokensTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void Twenty_a_minute_are_heard_and_the_rest_wait_their_share_of_it()
    {
        var failed = new FailedTokens(20, _clock);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            Assert.Equal(TimeSpan.Zero, failed.Add(V4(1), out var early));
            Assert.False(early);
        }

        Assert.Equal(TimeSpan.FromSeconds(3), failed.Add(V4(1), out var isNews));
        Assert.True(isNews);
        Assert.Equal(TimeSpan.FromSeconds(3), failed.Add(V4(1), out isNews));
        Assert.False(isNews);
        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.Zero, failed.Add(V4(1), out _));
        Assert.NotEqual(TimeSpan.Zero, failed.Add(V4(1), out _));
    }

    [Fact]
    public void One_address_does_not_suffer_for_another_but_one_customer_s_ipv6_network_is_one()
    {
        var failed = new FailedTokens(1, _clock);
        Assert.Equal(TimeSpan.Zero, failed.Add(V4(1), out _));
        Assert.Equal(TimeSpan.Zero, failed.Add(V4(2), out _));
        Assert.Equal(TimeSpan.Zero, failed.Add(IPAddress.Parse("2001:db8:0:1::1"), out _));
        Assert.Equal(TimeSpan.Zero, failed.Add(IPAddress.Parse("2001:db8:0:2::1"), out _));
        Assert.NotEqual(TimeSpan.Zero, failed.Add(IPAddress.Parse("2001:db8:0:1:ffff::2"), out _));
        Assert.NotEqual(TimeSpan.Zero, failed.Add(V4(1), out _));

        // The first 32 bits of this network are those of the address 10.0.0.1.
        Assert.Equal(TimeSpan.Zero, failed.Add(IPAddress.Parse("0a00:0001::1"), out _));
    }

    [Fact]
    public void With_no_limit_nothing_is_counted()
    {
        var failed = new FailedTokens(0, _clock);
        Assert.All(Enumerable.Range(0, 1_000), _ => Assert.Equal(TimeSpan.Zero, failed.Add(V4(1), out var news)));
        Assert.Equal(0, failed.Count);
    }

    [Fact]
    public void However_many_addresses_try_memory_stays_bounded_and_each_is_still_limited()
    {
        var failed = new FailedTokens(20, _clock);
        for (var address = 0; address < 200_000; address++)
        {
            failed.Add(V4(address), out _);
            Assert.True(failed.Count <= 2 * FailedTokens.AddressesMax);
        }

        // What has no room of its own shares one meter, and that is full.
        Assert.NotEqual(TimeSpan.Zero, failed.Add(V4(199_999), out _));

        // The first ones are remembered for themselves.
        Assert.Equal(TimeSpan.Zero, failed.Add(V4(0), out _));

        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(TimeSpan.Zero, failed.Add(V4(199_999), out _));
        Assert.Equal(1, failed.Count);
    }

    [Fact]
    public void An_address_that_goes_on_is_not_forgotten_when_the_minute_turns()
    {
        var failed = new FailedTokens(20, _clock);
        _clock.Advance(TimeSpan.FromSeconds(59));
        for (var attempt = 0; attempt < 20; attempt++)
        {
            failed.Add(V4(1), out _);
        }

        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(1), failed.Add(V4(1), out _));
    }

    private static IPAddress V4(int number) => new([10, (byte)(number >> 16), (byte)(number >> 8), (byte)number]);
}
