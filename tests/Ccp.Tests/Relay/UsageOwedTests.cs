using Ccp.Forwarding;
using Ccp.Metering;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Relay;
using Ccp.Routing;

namespace Ccp.Tests.Relay;

/// <summary>Each way a call can end, and what is owed for it.</summary>
public sealed class UsageOwedTests
{
    private const long Estimate = 700;

    private static readonly RequestFacts Facts = new("a", IsStream: true, MaxTokens: 100, EstimatedPromptTokens: Estimate, SessionId: null);

    private static readonly RateCard Rates = new("a", PriceBook.BuiltIn.Find("claude-opus-5-5", DateTimeOffset.UnixEpoch)!, 2m, PriceBook.BuiltIn, default, IsFixed: false);

    [Theory]
    // Never answered.
    [InlineData(0, "ClientLeft", 0, Estimate)]
    [InlineData(0, "UpstreamCut", 0, null)]
    [InlineData(0, "TimedOut", 0, null)]
    [InlineData(0, "ShutDown", 0, null)]
    [InlineData(0, "OutOfCredit", 0, null)]
    [InlineData(0, "SpendLimit", 0, null)]
    // The provider said no.
    [InlineData(400, "Complete", 90, null)]
    [InlineData(401, "Complete", 90, null)]
    [InlineData(429, "Complete", 90, null)]
    [InlineData(500, "UpstreamCut", 0, null)]
    [InlineData(529, "ClientLeft", 0, null)]
    // It began and nothing countable came of it.
    [InlineData(200, "ClientLeft", 0, Estimate)]
    [InlineData(200, "ClientLeft", 50, Estimate)]
    [InlineData(200, "Complete", 0, null)]
    [InlineData(200, "Complete", 50, Estimate)]
    [InlineData(200, "UpstreamCut", 0, null)]
    [InlineData(200, "UpstreamCut", 50, Estimate)]
    // ccp ended it, or gave up waiting: the upstream was at work all the same.
    [InlineData(200, "UpstreamStalled", 0, Estimate)]
    [InlineData(200, "UpstreamStalled", 50, Estimate)]
    [InlineData(200, "OutOfCredit", 0, Estimate)]
    [InlineData(200, "OutOfCredit", 50, Estimate)]
    [InlineData(200, "SpendLimit", 0, Estimate)]
    [InlineData(200, "ShutDown", 0, Estimate)]
    public void Without_a_reading_the_prompt_is_owed_where_it_was_worked_on(int status, string end, long bytes, long? owed)
    {
        Assert.Equal(owed, Owed(status, end, MeterReading.NotStarted, bytes)?.Tokens.Input);
    }

    [Fact]
    public void A_client_that_left_before_anything_was_sent_owes_nothing()
    {
        Assert.Null(UsageOwed.Of(ForwardResult.NoAnswer(RelayEnd.ClientLeft, refusal: null, wasSent: false), Facts, Rates));
        Assert.Equal(Estimate, UsageOwed.Of(ForwardResult.NoAnswer(RelayEnd.ClientLeft, refusal: null, wasSent: true), Facts, Rates)!.Tokens.Input);
    }

    /// <summary>Nothing reached the client, so it was refused.</summary>
    [Theory]
    [InlineData("OutOfCredit", 0, Estimate)]
    [InlineData("SpendLimit", 0, Estimate)]
    [InlineData("ShutDown", 0, Estimate)]
    [InlineData("UpstreamCut", 50, null)]
    [InlineData("Complete", 0, null)]
    public void What_ccp_ended_is_owed_whether_or_not_the_client_had_begun_to_hear_of_it(string end, long bytes, long? owed)
    {
        var refused = new ForwardResult(200, Enum.Parse<RelayEnd>(end), new Refusal(RefusalCode.InternalError, "why"), MeterReading.NotStarted, bytes);
        Assert.Equal(owed, UsageOwed.Of(refused, Facts, Rates)?.Tokens.Input);
    }

    [Theory]
    [InlineData("Complete")]
    [InlineData("ClientLeft")]
    [InlineData("UpstreamCut")]
    [InlineData("UpstreamStalled")]
    [InlineData("OutOfCredit")]
    [InlineData("ShutDown")]
    public void With_a_reading_that_is_what_is_owed_however_it_ended(string end)
    {
        var tokens = new TokenUsage { Input = 5, CacheRead = 6, Output = 7 };
        foreach (var quality in Enum.GetValues<ReadingQuality>())
        {
            var reading = new MeterReading(MeteredUsage.Of(tokens) with { WebSearches = 2 }, quality, "a", HasStarted: true);
            Assert.Equal(reading.Usage, Owed(200, end, reading, 10));
        }
    }

    [Theory]
    [InlineData("Estimated", Estimate)]
    [InlineData("Suspect", Estimate)]
    [InlineData("Exact", 0)]
    public void A_prompt_that_was_never_believably_counted_is_estimated(string quality, long input)
    {
        var reading = new MeterReading(MeteredUsage.Of(new TokenUsage { Output = 7 }), Enum.Parse<ReadingQuality>(quality), "a", HasStarted: true);
        Assert.Equal(new TokenUsage { Input = input, Output = 7 }, Owed(200, "UpstreamCut", reading, 10)!.Tokens);
    }

    [Theory]
    [InlineData("Complete")]
    [InlineData("UpstreamCut")]
    [InlineData("ClientLeft")]
    public void An_error_event_before_any_content_costs_nothing(string end)
    {
        Assert.Null(Owed(200, end, MeterReading.NotStarted with { ErrorType = "overloaded_error" }, 120));
    }

    [Fact]
    public void An_error_event_after_content_does_not_make_the_content_free()
    {
        var reading = new MeterReading(MeteredUsage.Of(new TokenUsage { Input = 5, Output = 7 }), ReadingQuality.Estimated, "a", HasStarted: true, "overloaded_error");
        Assert.Equal(7, Owed(200, "Complete", reading, 500)!.Tokens.Output);
    }

    [Theory]
    // Nothing was said: what was asked for.
    [InlineData(null, null, "Estimated", "us", "fast")]
    [InlineData(null, null, "Suspect", "us", "fast")]
    [InlineData("global", "standard", "Estimated", "global", "standard")]
    [InlineData(null, "standard", "Estimated", "us", "standard")]
    // The provider has had its last word.
    [InlineData(null, null, "Exact", null, null)]
    public void What_was_asked_for_and_never_reported_counts_in_an_estimate(string? geo, string? speed, string quality, string? owedGeo, string? owedSpeed)
    {
        var asked = Facts with { Asked = new PriceTerms("us", "fast") };
        var usage = new MeteredUsage(new TokenUsage { Input = 5, Output = 7 }, [], InferenceGeo: geo, Speed: speed);
        var owed = Owed(200, "ClientLeft", new MeterReading(usage, Enum.Parse<ReadingQuality>(quality), "a", HasStarted: true), 10, asked);
        Assert.Equal(new PriceTerms(owedGeo, owedSpeed), owed!.Terms);
    }

    [Fact]
    public void A_client_that_leaves_early_owes_the_prompt_at_what_it_asked_for()
    {
        var asked = Facts with { Asked = new PriceTerms("us", "fast") };
        Assert.Equal(asked.Asked, Owed(0, "ClientLeft", MeterReading.NotStarted, 0, asked)!.Terms);

        // A model without a fast mode was not sold as one.
        var sonnet = Rates with { Row = PriceBook.BuiltIn.Find("claude-sonnet-4-5", DateTimeOffset.UnixEpoch)! };
        Assert.Equal(default, Owed(0, "ClientLeft", MeterReading.NotStarted, 0, asked, sonnet)!.Terms);
    }

    private static MeteredUsage? Owed(int status, string end, MeterReading reading, long bytes, RequestFacts? facts = null, RateCard? rates = null) =>
        UsageOwed.Of(new ForwardResult(status, Enum.Parse<RelayEnd>(end), null, reading, bytes), facts ?? Facts, rates ?? Rates);
}
