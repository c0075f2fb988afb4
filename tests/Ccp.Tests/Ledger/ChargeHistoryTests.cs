using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Ledger;

public sealed class ChargeHistoryTests
{
    [Fact]
    public void Fewer_than_eight_samples_say_nothing()
    {
        var histogram = new ChargeHistogram();
        for (var sample = 1; sample < ChargeHistogram.SamplesMin; sample++)
        {
            histogram.Add(new NanoUsd(100));
            Assert.Null(histogram.NinetyFifthPercentile());
        }

        histogram.Add(new NanoUsd(100));
        Assert.NotNull(histogram.NinetyFifthPercentile());
    }

    [Fact]
    public void The_edge_of_a_bucket_is_never_below_a_sample_in_it_and_less_than_a_quarter_above()
    {
        var samples = new List<long> { 0, long.MaxValue, long.MaxValue - 1 };
        var random = new Random(20261122);
        for (var bit = 0; bit < 63; bit++)
        {
            samples.AddRange([1L << bit, (1L << bit) - 1, (1L << bit) + 1, random.NextInt64(1L << bit, bit == 62 ? long.MaxValue : 1L << (bit + 1))]);
        }

        foreach (var sample in samples)
        {
            var histogram = new ChargeHistogram();
            for (var time = 0; time < ChargeHistogram.SamplesMin; time++)
            {
                histogram.Add(new NanoUsd(sample));
            }

            var edge = histogram.NinetyFifthPercentile()!.Value.Value;
            Assert.True(edge >= sample, $"{edge} is below {sample}");
            Assert.True(edge - sample <= (sample / 4) + 1, $"{edge} is far above {sample}");
        }
    }

    [Fact]
    public void The_percentile_covers_ninety_five_of_a_hundred()
    {
        var histogram = new ChargeHistogram();
        for (var sample = 0; sample < 95; sample++)
        {
            histogram.Add(new NanoUsd(1_000));
        }

        for (var sample = 0; sample < 5; sample++)
        {
            histogram.Add(new NanoUsd(1_000_000));
        }

        Assert.InRange(histogram.NinetyFifthPercentile()!.Value.Value, 1_000, 1_250);
        histogram.Add(new NanoUsd(1_000_000));
        Assert.InRange(histogram.NinetyFifthPercentile()!.Value.Value, 1_000_000, 1_250_000);
    }

    [Fact]
    public void Old_habits_fade()
    {
        var histogram = new ChargeHistogram();
        for (var sample = 0; sample < 10_000; sample++)
        {
            histogram.Add(new NanoUsd(1_000_000));
        }

        var turned = 0;
        while (histogram.NinetyFifthPercentile()!.Value.Value > 1_250)
        {
            histogram.Add(new NanoUsd(1_000));
            turned++;
        }

        Assert.InRange(turned, 200, 1_500);
    }

    [Fact]
    public void Accounts_and_models_are_kept_apart()
    {
        var history = new ChargeHistory();
        for (var sample = 0; sample < 20; sample++)
        {
            history.Add(1, "a", new NanoUsd(10));
        }

        Assert.NotNull(history.NinetyFifthPercentile(1, "a"));
        Assert.Null(history.NinetyFifthPercentile(1, "b"));
        Assert.Null(history.NinetyFifthPercentile(2, "a"));
    }

    [Fact]
    public async Task A_restart_knows_from_the_request_records_what_calls_have_cost()
    {
        await using var books = TillUnderTest.WithConfig();
        foreach (var name in new[] { "alice", "bob" })
        {
            await books.AddUserAsync(name);
        }

        // A call that was free is no sample.
        for (var call = 1; call <= ChargeHistogram.SamplesMin; call++)
        {
            await books.ChargeAsync("alice", $"0.0{call}", $"alice-{call}");
            await books.ChargeAsync("bob", call == 1 ? "0" : $"0.0{call}", $"bob-{call}");
        }

        await books.RestartAsync();

        Assert.InRange(UsualOf("alice", "claude-sonnet-4-5")!.Value.Value, 80_000_000, 100_000_000);
        Assert.Null(UsualOf("alice", "claude-opus-5-5"));
        Assert.Null(UsualOf("bob", "claude-sonnet-4-5"));

        NanoUsd? UsualOf(string name, string model) => books.Till.History.NinetyFifthPercentile(books.User(name).AccountId, model);
    }

    [Theory]
    [InlineData(0, 100, 500, null, true, 100)]
    [InlineData(0, 100, 500, 300L, true, 300)]
    [InlineData(0, 100, 500, 50L, true, 50)]
    [InlineData(0, 100, 500, 900L, true, 500)]
    [InlineData(0, 100, 500, null, false, 500)]
    [InlineData(0, 100, 500, 50L, false, 500)]
    [InlineData(60, 100, 500, 50L, true, 60)]
    [InlineData(60, 100, 500, 70L, true, 70)]
    [InlineData(60, 100, 500, null, true, 100)]
    [InlineData(60, 100, 500, 50L, false, 500)]
    public void A_hold_is_what_such_calls_usually_cost_and_never_more_than_the_worst_nor_less_than_the_prompt_at_its_cheapest(long least, long guess, long worst, long? usual, bool canEndEarly, long held)
    {
        var forecast = new CostForecast(new NanoUsd(least), new NanoUsd(guess), new NanoUsd(worst));
        Assert.Equal(new NanoUsd(held), HoldPolicy.AmountFor(forecast, usual is { } nanos ? new NanoUsd(nanos) : null, canEndEarly));
    }
}
