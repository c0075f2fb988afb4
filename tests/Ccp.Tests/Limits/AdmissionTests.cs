using System.Net;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Limits;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Tests.Identity;
using Ccp.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Limits;

/// <summary>Who is let in now.</summary>
public sealed class AdmissionTests
{
    private const int MebiByte = 1024 * 1024;

    private static readonly Caller Somewhere = new(IPAddress.Parse("203.0.113.7"));

    private readonly ManualClock _clock = new();
    private readonly UserDirectory _users = new();
    private readonly Admission _admission;
    private User _alice = AccessTokenTests.Someone(1, "alice", "token");

    public AdmissionTests()
    {
        _admission = new Admission(_users, new AuthConfig(2), _clock, NullLogger.Instance);
        _users.Replace([_alice]);
    }

    [Fact]
    public void As_many_calls_as_allowed_are_let_in_and_the_next_one_when_one_of_them_ends()
    {
        Limit(limits => limits with { Concurrent = 2 });
        using var first = Enter(out _);
        using var second = Enter(out _);
        using var third = Enter(out var refusal);
        Assert.Equal(RefusalCode.ConcurrencyReached, refusal!.Code);
        Assert.Equal(5, RefusalMap.ToWire(refusal).RetryAfterSeconds);

        // One that was turned away frees nobody else's place.
        third.Dispose();
        using var fourth = Enter(out refusal);
        Assert.NotNull(refusal);

        first.Dispose();
        first.Dispose();
        using var fifth = Enter(out refusal);
        Assert.Null(refusal);
        using var sixth = Enter(out refusal);
        Assert.NotNull(refusal);
    }

    [Fact]
    public void However_many_ask_at_once_no_more_are_let_in_than_allowed_and_none_is_lost()
    {
        const int Callers = 64;
        Limit(limits => limits with { Concurrent = 16 });
        var inside = 0;
        var most = 0;
        Parallel.For(0, Callers * 200, new ParallelOptions { MaxDegreeOfParallelism = Callers }, _ =>
        {
            using var slot = Enter(out var refusal);
            if (refusal is null)
            {
                var now = Interlocked.Increment(ref inside);
                InterlockedMax(ref most, now);
                Interlocked.Decrement(ref inside);
            }
        });

        Assert.InRange(most, 1, 16);
        var slots = Enumerable.Range(0, 17).Select(_ => (Slot: Enter(out var refusal), Refusal: refusal)).ToList();
        Assert.Equal(16, slots.Count(entry => entry.Refusal is null));
    }

    [Fact]
    public void Requests_beyond_the_minute_s_wait_for_their_share_of_it()
    {
        Limit(limits => limits with { RequestsPerMinute = 3 });
        for (var request = 0; request < 3; request++)
        {
            Enter(out var none).Dispose();
            Assert.Null(none);
        }

        Enter(out var refusal).Dispose();
        Assert.Equal((429, true, 20), Form(refusal));
        Assert.Contains("3 requests a minute", refusal!.Message, StringComparison.Ordinal);

        _clock.Advance(TimeSpan.FromSeconds(19));
        Enter(out refusal).Dispose();
        Assert.Equal((429, true, 1), Form(refusal));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Enter(out refusal).Dispose();
        Assert.Null(refusal);
    }

    [Fact]
    public void Tokens_used_beyond_the_minute_s_are_worked_off_and_a_long_wait_is_not_slept_through()
    {
        Limit(limits => limits with { TokensPerMinute = 1_000 });

        // Reading from the cache does not count; the rest does.
        Use(new TokenUsage { CacheRead = 1_000_000 });
        Use(new TokenUsage(Input: 500, CacheWrite5m: 1_000, CacheWrite1h: 500, CacheRead: 9_999, Output: 1_000));

        // 3000 were used: when 2001 have drained there is room for one.
        Enter(out var refusal).Dispose();
        Assert.Equal((429, false, 121), Form(refusal));
        Assert.Equal(RefusalCode.TokenRateReached, refusal!.Code);
        _clock.Advance(TimeSpan.FromSeconds(61));
        Enter(out refusal).Dispose();
        Assert.Equal((429, true, 60), Form(refusal));
        _clock.Advance(TimeSpan.FromSeconds(60));
        Enter(out refusal).Dispose();
        Assert.Null(refusal);
    }

    [Fact]
    public void A_new_token_does_not_begin_a_new_minute_and_a_new_limit_holds_at_once()
    {
        Limit(limits => limits with { RequestsPerMinute = 1 });
        Enter(out _).Dispose();
        _alice = _alice with { Token = AccessToken.HashOf("another") };
        Enter(out var refusal).Dispose();
        Assert.Equal(RefusalCode.RequestRateReached, refusal!.Code);

        Limit(limits => limits with { RequestsPerMinute = 60 });
        Enter(out refusal).Dispose();
        Assert.Null(refusal);
        Limit(limits => limits with { RequestsPerMinute = 0 });
        Enter(out refusal).Dispose();
        Assert.Null(refusal);
    }

    [Fact]
    public void One_user_s_calls_are_not_another_s()
    {
        Limit(limits => limits with { Concurrent = 1 });
        using var first = Enter(out _);
        var bob = AccessTokenTests.Someone(2, "bob", "bobs") with { Limits = _alice.Limits };
        using var slot = new Slot(_clock);
        Assert.Null(_admission.Enter(slot, bob, Somewhere));
    }

    [Fact]
    public void What_is_free_takes_no_place_and_is_not_counted()
    {
        Limit(limits => limits with { Concurrent = 1, RequestsPerMinute = 1 });
        for (var count = 0; count < 26; count++)
        {
            using var free = new Slot(_clock);
            Assert.Null(_admission.EnterFree(free, _alice, Somewhere, parts: 1));
        }

        using var paid = Enter(out var refusal);
        Assert.Null(refusal);
        using var counting = new Slot(_clock);
        Assert.Null(_admission.EnterFree(counting, _alice, Somewhere, parts: 1));
    }

    [Fact]
    public void What_is_free_has_as_much_room_as_the_calls_at_their_largest_and_gives_it_back()
    {
        Limit(limits => limits with { Concurrent = 2 });
        using var paid = Enter(out _);
        using var large = EnterFree(32 * MebiByte, out var refusal);
        Assert.Null(refusal);
        var small = Enumerable.Range(0, 32).Select(_ => EnterFree(100, out refusal)).ToList();
        Assert.Null(refusal);

        using var oneMore = EnterFree(100, out refusal);
        Assert.Equal((429, true, 5), Form(refusal));
        Assert.Equal(RefusalCode.ConcurrencyReached, refusal!.Code);
        Assert.Contains("token counts", refusal.Message, StringComparison.Ordinal);
        oneMore.Dispose();

        // What does not say how large it is may be as large as any.
        large.Dispose();
        small[0].Dispose();
        small[0].Dispose();
        using var unknown = EnterFree(null, out refusal);
        Assert.Null(refusal);
        using var last = EnterFree(MebiByte, out refusal);
        Assert.Null(refusal);
        using var tooMuch = EnterFree(0, out refusal);
        Assert.NotNull(refusal);
        using var second = Enter(out refusal);
        Assert.Null(refusal);
    }

    [Theory]
    [InlineData(0L, 32L * MebiByte, 1)]
    [InlineData(1L * MebiByte, 32L * MebiByte, 1)]
    [InlineData((1L * MebiByte) + 1, 32L * MebiByte, 2)]
    [InlineData(32L * MebiByte, 32L * MebiByte, 32)]
    [InlineData(long.MaxValue, 32L * MebiByte, 32)]
    [InlineData(null, 32L * MebiByte, 32)]
    [InlineData(7L, 10L, 7)]
    public void A_body_takes_room_by_its_share_of_the_largest(long? bytes, long bytesMax, int parts)
    {
        Assert.Equal(parts, FreeRoom.PartsOf(bytes, bytesMax));
    }

    [Fact]
    public void Whoever_has_expired_is_shut_out_from_that_moment_on()
    {
        var expires = _clock.GetUtcNow() + TimeSpan.FromMinutes(1);
        Limit(limits => limits with { Expires = expires });
        Enter(out var refusal).Dispose();
        Assert.Null(refusal);

        _clock.Advance(TimeSpan.FromMinutes(1));
        Enter(out refusal).Dispose();
        Assert.Equal(RefusalCode.UserExpired, refusal!.Code);
        Assert.Contains("2026-11-22 12:01 UTC", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("10.255.255.255", true)]
    [InlineData("11.0.0.1", false)]
    [InlineData("192.0.2.1", true)]
    [InlineData("192.0.2.2", false)]
    [InlineData("2001:db8::1", true)]
    [InlineData("2001:db9::1", false)]
    public void A_user_may_be_tied_to_addresses(string from, bool isAllowed)
    {
        Limit(limits => limits with { AllowFrom = [IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("192.0.2.1/32"), IPNetwork.Parse("2001:db8::/32")] });
        using var slot = new Slot(_clock);
        Assert.Equal(isAllowed ? null : RefusalCode.AddressNotAllowed, _admission.EnterFree(slot, _alice, new Caller(IPAddress.Parse(from)), parts: 1)?.Code);
    }

    [Fact]
    public void Who_comes_through_a_proxy_that_names_nobody_is_shut_out_where_addresses_count()
    {
        var proxy = new Caller(IPAddress.Loopback, IsKnown: false);
        Assert.Null(_admission.RefusalOf(_alice, proxy));

        Limit(limits => limits with { AllowFrom = [IPNetwork.Parse("127.0.0.0/8")] });
        var refusal = _admission.RefusalOf(_alice, proxy)!;
        Assert.Equal(RefusalCode.AddressNotAllowed, refusal.Code);
        Assert.Contains("x-forwarded-for", refusal.Message, StringComparison.Ordinal);
        Assert.Null(_admission.RefusalOf(_alice, proxy with { IsKnown = true }));
    }

    [Fact]
    public void Too_many_wrong_tokens_from_an_address_are_told_to_wait_and_a_right_one_is_served_all_the_same()
    {
        Assert.Equal((401, false, null), Form(Failed("wrong")));
        Assert.Equal((401, false, null), Form(Failed(null)));
        Assert.Equal((429, true, 30), Form(Failed("wrong")));
        Assert.True(_admission.Identify("token", Somewhere.Address).Allows(out var user, out _));
        Assert.Equal("alice", user.Name);

        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal((401, false, null), Form(Failed("wrong")));
    }

    [Fact]
    public void The_token_of_a_disabled_user_is_no_failed_attempt()
    {
        _users.Replace([_alice with { IsDisabled = true }]);
        for (var call = 0; call < 10; call++)
        {
            Assert.Equal(RefusalCode.UserDisabled, Failed("token").Code);
        }
    }

    private static (int Status, bool MayRetry, int? RetryAfter) Form(Refusal? refusal)
    {
        var wire = RefusalMap.ToWire(refusal!);
        return (wire.Status, wire.ClientMayRetry, wire.RetryAfterSeconds);
    }

    private static void InterlockedMax(ref int most, int now)
    {
        for (var seen = most; now > seen && Interlocked.CompareExchange(ref most, now, seen) != seen; seen = most)
        {
        }
    }

    private Refusal Failed(string? token)
    {
        Assert.False(_admission.Identify(token, Somewhere.Address).Allows(out _, out var refusal));
        return refusal;
    }

    private void Limit(Func<UserLimits, UserLimits> change) => _alice = _alice with { Limits = change(_alice.Limits) };

    private Slot Enter(out Refusal? refusal)
    {
        var slot = new Slot(_clock);
        refusal = _admission.Enter(slot, _alice, Somewhere);
        return slot;
    }

    private Slot EnterFree(long? bodyBytes, out Refusal? refusal)
    {
        var slot = new Slot(_clock);
        refusal = _admission.EnterFree(slot, _alice, Somewhere, FreeRoom.PartsOf(bodyBytes, 32 * MebiByte));
        return slot;
    }

    private void Use(TokenUsage used)
    {
        using var slot = Enter(out var refusal);
        Assert.Null(refusal);
        slot.Used = used;
    }
}
