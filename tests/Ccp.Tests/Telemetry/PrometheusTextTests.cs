using Ccp.Telemetry;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Telemetry;

public sealed class PrometheusTextTests
{
    [Fact]
    public void A_family_is_its_help_its_type_and_its_samples()
    {
        var text = new PrometheusText();
        text.Begin("made_up_total", "counter", "What is made up.");
        text.Sample(3, ("lane", "zai"), ("reason", "ok"));
        text.Gauge("made_up_bytes", "How large.", 0.25m);

        Assert.Equal(
            """
            # HELP made_up_total What is made up.
            # TYPE made_up_total counter
            made_up_total{lane="zai",reason="ok"} 3
            # HELP made_up_bytes How large.
            # TYPE made_up_bytes gauge
            made_up_bytes 0.25

            """,
            text.ToString());
    }

    [Fact]
    public void What_would_end_a_value_or_a_line_is_escaped()
    {
        var text = new PrometheusText();
        text.Begin("made_up", "gauge", "A \"quote\", a \\ and\na line.");
        text.Sample(1, ("label", "a\"b\\c\nd{e},f=\u00fc"));

        Assert.Equal("# HELP made_up A \"quote\", a \\\\ and\\na line.\n# TYPE made_up gauge\nmade_up{label=\"a\\\"b\\\\c\\nd{e},f=\u00fc\"} 1\n", text.ToString());
        Assert.Equal(1, new MetricsText(text.ToString())["made_up{label=\"a\\\"b\\\\c\\nd{e},f=\u00fc\"}"]);
    }

    /// <summary>No exponent, no separator, no rounding: the largest and the smallest amount of money that there is.</summary>
    [Theory]
    [InlineData("9223372036.854775807", "9223372036.854775807")]
    [InlineData("0.000000001", "0.000000001")]
    [InlineData("-1.50", "-1.5")]
    [InlineData("0.00", "0")]
    [InlineData("79228162514264337593543950335", "79228162514264337593543950335")]
    public void A_number_is_written_digit_for_digit(string number, string written)
    {
        var text = new PrometheusText();
        text.Begin("made_up", "gauge", "x");
        text.Sample(decimal.Parse(number, System.Globalization.CultureInfo.InvariantCulture));

        Assert.EndsWith($"\nmade_up {written}\n", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_buckets_of_a_histogram_add_up()
    {
        var durations = new Durations();
        foreach (var milliseconds in new[] { 0, 250, 251, 1_000, 60_000, 60_001 })
        {
            durations.Add(TimeSpan.FromMilliseconds(milliseconds));
        }

        var text = new PrometheusText();
        text.Begin("made_up_seconds", "histogram", "x");
        text.Histogram(durations, "lane", "zai");

        Assert.Equal(
            """
            # HELP made_up_seconds x
            # TYPE made_up_seconds histogram
            made_up_seconds_bucket{lane="zai",le="0.25"} 2
            made_up_seconds_bucket{lane="zai",le="0.5"} 3
            made_up_seconds_bucket{lane="zai",le="1"} 4
            made_up_seconds_bucket{lane="zai",le="2"} 4
            made_up_seconds_bucket{lane="zai",le="5"} 4
            made_up_seconds_bucket{lane="zai",le="10"} 4
            made_up_seconds_bucket{lane="zai",le="30"} 4
            made_up_seconds_bucket{lane="zai",le="60"} 5
            made_up_seconds_bucket{lane="zai",le="+Inf"} 6
            made_up_seconds_sum{lane="zai"} 121.502
            made_up_seconds_count{lane="zai"} 6

            """,
            text.ToString());
    }
}
