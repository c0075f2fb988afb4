using Ccp.Pricing;

namespace Ccp.Tests.Pricing;

public sealed class NanoUsdTests
{
    [Theory]
    [InlineData("50", 50_000_000_000)]
    [InlineData("0.10", 100_000_000)]
    [InlineData("-12.50", -12_500_000_000)]
    [InlineData("0.000000001", 1)]
    [InlineData("9223372036.854775807", long.MaxValue)]
    public void An_amount_is_read_as_a_person_types_it(string text, long nanos)
    {
        Assert.True(NanoUsd.TryParse(text, out var amount));
        Assert.Equal(new NanoUsd(nanos), amount);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".5")]
    [InlineData("5.")]
    [InlineData("1e3")]
    [InlineData("1,000")]
    [InlineData("+5")]
    [InlineData(" 5")]
    [InlineData("--5")]
    [InlineData("-")]
    [InlineData("٣")]
    [InlineData("0.0000000001")]
    [InlineData("9223372036.854775808")]
    public void Anything_that_could_be_read_two_ways_is_no_amount(string text)
    {
        Assert.False(NanoUsd.TryParse(text, out _));
    }

    [Theory]
    [InlineData("0.0000000001", 1)]
    [InlineData("0.000000001", 1)]
    [InlineData("0.0000000011", 2)]
    [InlineData("0", 0)]
    public void A_cost_is_rounded_up_to_the_next_nano_dollar(string usd, long nanos)
    {
        Assert.Equal(new NanoUsd(nanos), NanoUsd.CeilingFromUsd(decimal.Parse(usd, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void A_sum_that_does_not_fit_throws_instead_of_wrapping()
    {
        Assert.Throws<OverflowException>(() => new NanoUsd(long.MaxValue) + new NanoUsd(1));
    }

    [Theory]
    [InlineData(-12_500_000_000, "-12.50")]
    [InlineData(34_000, "0.000034")]
    [InlineData(0, "0.00")]
    public void Dollars_are_printed_with_two_to_nine_decimals(long nanos, string text)
    {
        Assert.Equal(text, new NanoUsd(nanos).ToString());
    }
}
