using Ccp.Quotas;

namespace Ccp.Tests.Quotas;

public sealed class QuotaWindowTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 12, 0, 0, 123, TimeSpan.Zero);

    public static TheoryData<TimeSpan> Lengths => [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(61.7), TimeSpan.FromHours(5), TimeSpan.FromDays(7), TimeSpan.FromDays(31)];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Tokens_leave_never_early_and_at_most_a_bucket_late(TimeSpan length)
    {
        var random = new Random(7);
        for (var round = 0; round < 50; round++)
        {
            var window = new QuotaWindow(length);
            var at = Start + TimeSpan.FromMilliseconds(random.NextInt64((long)length.TotalMilliseconds));
            window.MoveTo(at);
            window.Add(at, 10);

            window.MoveTo(at + length - TimeSpan.FromMilliseconds(1));
            Assert.Equal(10, window.Used);
            window.MoveTo(at + length + TimeSpan.FromMilliseconds(window.BucketMs + 1_008));
            Assert.Equal(0, window.Used);
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void It_frees_at_the_moment_it_says(TimeSpan length)
    {
        var random = new Random(11);
        var window = new QuotaWindow(length);
        var now = Start;
        for (var call = 0; call < 200; call++)
        {
            now += length / 150;
            window.MoveTo(now);
            window.Add(now, random.Next(100));
        }

        var cap = window.Used / 3;
        var frees = window.FreesAt(cap);
        window.MoveTo(frees - TimeSpan.FromMilliseconds(1));
        Assert.True(window.Used >= cap);
        window.MoveTo(frees);
        Assert.True(window.Used < cap);
    }

    [Fact]
    public void What_is_counted_equals_the_sum_of_what_is_young_enough()
    {
        var random = new Random(3);
        var window = new QuotaWindow(TimeSpan.FromHours(5));
        var added = new List<(DateTimeOffset At, long Tokens)>();
        var now = Start;
        for (var step = 0; step < 5_000; step++)
        {
            now += TimeSpan.FromSeconds(random.Next(60));
            window.MoveTo(now);

            // Long calls are counted when they began, and some come to less than it seemed.
            var at = now - TimeSpan.FromSeconds(random.Next(900));
            var tokens = random.Next(-20, 200);
            window.Add(at, tokens);
            added.Add((at, tokens));

            var oldest = window.Oldest;
            Assert.InRange(now - oldest, TimeSpan.FromHours(5), TimeSpan.FromHours(5) + TimeSpan.FromSeconds(18.9));
            Assert.Equal(added.Where(one => one.At >= oldest).Sum(one => one.Tokens), window.Used);
        }
    }

    [Fact]
    public void A_clock_that_is_set_back_neither_forgets_nor_fails()
    {
        var window = new QuotaWindow(TimeSpan.FromHours(5));
        window.MoveTo(Start);
        window.Add(Start, 10);
        window.MoveTo(Start - TimeSpan.FromDays(3));
        window.Add(Start - TimeSpan.FromDays(3), 99);
        Assert.Equal(10, window.Used);
        window.Add(Start + TimeSpan.FromDays(3), 5);
        Assert.Equal(15, window.Used);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void What_was_counted_ahead_of_a_clock_that_is_set_back_counts_as_of_then(TimeSpan length)
    {
        foreach (var ahead in new[] { length / 2000, length / 3, length, length * 7 })
        {
            var window = new QuotaWindow(length);
            window.MoveTo(Start);
            window.Add(Start, 10);
            window.MoveTo(Start + ahead);
            window.Add(Start + (ahead / 2), 5);
            window.Add(Start + ahead, 7);
            var used = window.Used;

            window.SetBack(Start);
            Assert.Equal(used, window.Used);
            window.Add(Start, 100);
            window.MoveTo(Start + length - TimeSpan.FromMilliseconds(1));
            Assert.Equal(used + 100, window.Used);
            window.MoveTo(Start + length + TimeSpan.FromMilliseconds(window.BucketMs + 1_008));
            Assert.Equal(0, window.Used);
        }
    }

    [Fact]
    public void A_clock_that_is_behind_the_window_in_nothing_is_not_set_back()
    {
        var window = new QuotaWindow(TimeSpan.FromHours(5));
        window.MoveTo(Start);
        window.Add(Start, 10);
        window.SetBack(Start + TimeSpan.FromHours(6));
        Assert.Equal(10, window.Used);
        window.MoveTo(Start + TimeSpan.FromHours(4));
        Assert.Equal(10, window.Used);
    }
}
