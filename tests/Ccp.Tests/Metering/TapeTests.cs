using Ccp.Metering;
using Ccp.Pricing;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Metering;

/// <summary>
/// Goal: a recorded stream gives the reading written beside it, and no cut of it by the network or by its end does harm.
/// Method: every tape whole, at every single cut, at seeded random cuts, byte by byte, and broken off at every length.
/// </summary>
public sealed class TapeTests
{
    public static TheoryData<string> Tapes => [.. SseTape.Names];

    [Fact]
    public void The_tapes_are_there()
    {
        Assert.True(SseTape.Names.Count >= 13);
    }

    [Theory]
    [MemberData(nameof(Tapes))]
    public void A_tape_gives_the_reading_beside_it(string name)
    {
        var tape = SseTape.Load(name);
        var reading = Metered.Stream(tape.Bytes);

        var tokens = new TokenUsage(
            tape.Number("input"),
            tape.Number("cache_write_5m"),
            tape.Number("cache_write_1h"),
            tape.Number("cache_read"),
            tape.Number("output"));
        Assert.Equal(tokens, reading.Usage.Tokens);
        Assert.Equal(tape.Text("quality"), reading.Quality.ToString().ToLowerInvariant());
        Assert.Equal(tape.Number("web_search_requests"), reading.Usage.WebSearches);
        Assert.Equal(tape.Number("iterations"), reading.Usage.Iterations.Count);
        Assert.Equal(tape.Text("inference_geo"), reading.Usage.InferenceGeo);
        Assert.Equal(tape.Text("speed"), reading.Usage.Speed);
        Assert.True(reading.HasStarted);
        Assert.NotNull(reading.AnsweredModel);
    }

    [Theory]
    [MemberData(nameof(Tapes))]
    public void A_reading_does_not_depend_on_where_the_network_cuts_the_stream(string name)
    {
        var bytes = SseTape.Load(name).Bytes;
        var whole = Metered.Line(Metered.Stream(bytes));

        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(whole, Metered.Line(Metered.Stream(bytes, cut)));
        }

        var random = new Random(20261122);
        for (var round = 0; round < 200; round++)
        {
            var cuts = Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.Next(bytes.Length + 1)).Order().ToArray();
            Assert.Equal(whole, Metered.Line(Metered.Stream(bytes, cuts)));
        }

        Assert.Equal(whole, Metered.Line(Metered.Stream(bytes, [.. Enumerable.Range(0, bytes.Length)])));
    }

    [Theory]
    [MemberData(nameof(Tapes))]
    public void Line_endings_of_any_kind_give_the_same_reading(string name)
    {
        var text = System.Text.Encoding.UTF8.GetString(SseTape.Load(name).Bytes).Replace("\r\n", "\n", StringComparison.Ordinal);
        var whole = Metered.Line(Metered.Stream(System.Text.Encoding.UTF8.GetBytes(text)));
        foreach (var ending in new[] { "\r\n", "\r" })
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(text.Replace("\n", ending, StringComparison.Ordinal));
            Assert.Equal(whole, Metered.Line(Metered.Stream(bytes)));
            Assert.Equal(whole, Metered.Line(Metered.Stream(bytes, [.. Enumerable.Range(0, bytes.Length)])));
        }
    }

    [Theory]
    [MemberData(nameof(Tapes))]
    public void A_stream_that_breaks_off_anywhere_reads_no_more_than_it_can_have_used(string name)
    {
        var bytes = SseTape.Load(name).Bytes;
        var whole = Metered.Stream(bytes).Usage.Tokens;

        for (var length = 0; length < bytes.Length; length++)
        {
            var reading = Metered.Stream(bytes.AsSpan(0, length));
            var tokens = reading.Usage.Tokens;
            Assert.NotEqual(ReadingQuality.Suspect, reading.Quality);
            Assert.InRange(tokens.Prompt, 0, whole.Prompt);
            Assert.InRange(tokens.Output, 0, Math.Max(whole.Output, (length / 3) + 1));
            Assert.Equal(tokens.Total > 0, tokens.Total > 0 && reading.HasStarted);
        }
    }

    [Theory]
    [MemberData(nameof(Tapes))]
    public void Asking_for_a_reading_on_the_way_changes_nothing(string name)
    {
        var bytes = SseTape.Load(name).Bytes;
        using var meter = new UsageMeter();
        foreach (var value in bytes)
        {
            meter.Observe([value]);
            Assert.Equal(meter.HasStarted ? meter.RunningTokens : default, meter.Read().Usage.Tokens);
        }

        Assert.Equal(Metered.Line(Metered.Stream(bytes)), Metered.Line(meter.Read()));
    }
}
