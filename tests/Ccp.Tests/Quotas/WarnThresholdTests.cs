using System.Globalization;
using Ccp.Configuration;
using Ccp.Quotas;

namespace Ccp.Tests.Quotas;

public sealed class WarnThresholdTests
{
    private static readonly QuotaConfig Auto = new("*", "zai", TimeSpan.FromHours(5), 1_000, 0, WarnAt: null, QuotaReroute.Hybrid, TimeSpan.FromMinutes(5));

    [Theory]
    [InlineData("", "0.8", false, 0, "0")]
    [InlineData("0.6 0.6", "0.8", false, 2, "0")]
    [InlineData("0.6 0.6 0.6", "0.54", true, 3, "0.3")]
    [InlineData("0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6", "0.54", true, 10, "1")]
    [InlineData("0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6 0.6", "0.54", true, 12, "1")]
    [InlineData("0.5 0.7 0.9", "0.63", true, 3, "0.18")]
    [InlineData("0.5 0.7 0.9 1", "0.63", true, 4, "0.2")]
    [InlineData("1.2 1.3 1.4", "0.95", true, 3, "0.24")]
    [InlineData("0.01 0.02 0.09 0.7", "0.8", false, 1, "0")]
    [InlineData("0.01 0.7 0.7 0.7", "0.63", true, 3, "0.3")]
    public void It_is_a_tenth_below_where_the_lane_said_no_in_the_middle_of_the_samples(string shares, string at, bool isLearned, int samples, string confidence)
    {
        var learned = WarnThreshold.Of(Auto, shares.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Number));
        Assert.Equal(new WarnThreshold(Number(at), isLearned, samples, Number(confidence)), learned);
    }

    [Fact]
    public void What_is_stated_stands_whatever_the_samples()
    {
        Assert.Equal(0.7m, WarnThreshold.Of(Auto with { WarnAt = 0.7m }, [0.3m, 0.3m, 0.3m]).At);
    }

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
