using Ccp.Limits;

namespace Ccp.Tests.Limits;

public sealed class MinuteMeterTests
{
    [Theory]
    [InlineData(1, 60)]
    [InlineData(3, 20)]
    [InlineData(60, 1)]
    [InlineData(7, 8.5714286)]
    public void A_limit_lets_that_many_pass_at_once_and_then_one_in_its_share_of_a_minute(long perMinute, double seconds)
    {
        var meter = new MinuteMeter();
        var now = TimeSpan.FromHours(5);
        for (var one = 0; one < perMinute; one++)
        {
            Assert.Equal(TimeSpan.Zero, meter.WaitForOne(perMinute, now));
            meter.Add(1, perMinute, now);
        }

        var wait = meter.WaitForOne(perMinute, now);

        Assert.Equal(seconds, wait.TotalSeconds, precision: 6);
        Assert.NotEqual(TimeSpan.Zero, meter.WaitForOne(perMinute, now + wait - TimeSpan.FromTicks(1)));
        Assert.Equal(TimeSpan.Zero, meter.WaitForOne(perMinute, now + wait));
    }

    [Fact]
    public void What_went_beyond_the_limit_is_worked_off_at_its_pace_however_long_that_takes()
    {
        var meter = new MinuteMeter();
        meter.Add(500_000, 100_000, TimeSpan.Zero);

        // Room for one more is there when 400 000 and one have drained.
        Assert.InRange(meter.WaitForOne(100_000, TimeSpan.Zero), TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(4) + TimeSpan.FromMilliseconds(1));
        Assert.Equal(TimeSpan.FromMinutes(1), meter.WaitForOne(100_000, TimeSpan.FromMinutes(3)) - TimeSpan.FromTicks(6_000));
    }

    [Fact]
    public void Another_limit_counts_what_was_used_under_the_old_one()
    {
        var meter = new MinuteMeter();
        meter.Add(500, 100, TimeSpan.Zero);

        Assert.Equal(TimeSpan.Zero, meter.WaitForOne(1_000, TimeSpan.Zero));
        Assert.True(meter.WaitForOne(100, TimeSpan.Zero) > TimeSpan.FromMinutes(4));
    }

    [Fact]
    public void Numbers_beyond_belief_do_not_overflow()
    {
        var meter = new MinuteMeter();
        for (var call = 0; call < 100; call++)
        {
            meter.Add(long.MaxValue, 1_000_000_000, TimeSpan.Zero);
        }

        Assert.True(meter.WaitForOne(1_000_000_000, TimeSpan.Zero) > TimeSpan.Zero);
        Assert.True(meter.WaitForOne(1, TimeSpan.Zero) > TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, meter.WaitForOne(1_000_000_000, TimeSpan.FromDays(100_000)));
    }

    /// <summary>
    /// Goal: whatever the pattern of calls, in no stretch of time do more pass than the limit allows for it.
    /// Method: a fixed seed draws limits and arrivals; for every pair of calls that passed, those between them are counted.
    /// </summary>
    [Fact]
    public void In_no_stretch_of_time_does_more_pass_than_a_limit_and_its_share_of_that_time()
    {
        var random = new Random(20261122);
        for (var history = 0; history < 50; history++)
        {
            var limit = random.Next(1, 20);
            var meter = new MinuteMeter();
            var now = TimeSpan.Zero;
            var passed = new List<TimeSpan>();
            for (var call = 0; call < 200; call++)
            {
                now += TimeSpan.FromMilliseconds(random.Next(0, random.Next(1, 8_000)));
                if (meter.WaitForOne(limit, now) == TimeSpan.Zero)
                {
                    meter.Add(1, limit, now);
                    passed.Add(now);
                }
            }

            for (var from = 0; from < passed.Count; from++)
            {
                for (var to = from; to < passed.Count; to++)
                {
                    var minutes = (decimal)(passed[to] - passed[from]).Ticks / TimeSpan.TicksPerMinute;
                    Assert.True(to - from + 1 <= limit + (limit * minutes), $"{to - from + 1} in {minutes} minutes at {limit}");
                }
            }

            Assert.True(passed.Count >= Math.Min(200, limit), "The limit let too few pass.");
        }
    }
}
