using Ccp.Forwarding;
using Ccp.Metering;
using Ccp.Pricing;
using Ccp.Routing;

namespace Ccp.Relay;

/// <summary>What a call is charged for, however it ended.</summary>
internal static class UsageOwed
{
    /// <param name="rates">For what was asked for and never reported: it counts in an estimate, where it is the dearer.</param>
    /// <returns>Null when nothing is owed: the upstream failed, or said no, before any content.</returns>
    public static MeteredUsage? Of(ForwardResult result, RequestFacts facts, RateCard rates) =>
        TokensOf(result, facts) is not { } usage ? null
        : result.Reading.Quality == ReadingQuality.Exact ? usage
        : usage.At(rates.Assume(usage.Tokens, usage.Terms, facts.Asked));

    private static MeteredUsage? TokensOf(ForwardResult result, RequestFacts facts)
    {
        var reading = result.Reading;
        if (reading.HasStarted)
        {
            // The stream broke before it said how large the prompt was, the provider says so only at the end, or what it said cannot be true.
            return reading.Quality != ReadingQuality.Exact && reading.Usage.Tokens.Prompt == 0
                ? reading.Usage with { Tokens = reading.Usage.Tokens with { Input = facts.EstimatedPromptTokens } }
                : reading.Usage;
        }

        // The provider said no: an error status, or an error event before any content.
        if (reading.ErrorType is not null || (result.Status != 0 && !result.IsSuccess))
        {
            return null;
        }

        // The prompt is worked on from the moment it is there. Hanging up early is not free, an answer that ccp ended or gave up waiting for was under way,
        // and one that ccp could not read was an answer. What broke off before anything came is the upstream's loss.
        var isOwed = result.End switch
        {
            RelayEnd.ClientLeft => result.WasSent,
            RelayEnd.OutOfCredit or RelayEnd.SpendLimit or RelayEnd.ShutDown or RelayEnd.UpstreamStalled => result.IsSuccess,
            _ => result.IsSuccess && result.BytesSeen > 0 && result.Refusal is null,
        };
        return isOwed ? MeteredUsage.Of(new TokenUsage { Input = facts.EstimatedPromptTokens }) : null;
    }
}
