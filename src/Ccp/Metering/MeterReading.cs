using Ccp.Pricing;

namespace Ccp.Metering;

/// <summary>What an answer used, and how far to trust it.</summary>
/// <param name="AnsweredModel">The model the provider says answered; null when it never said.</param>
/// <param name="HasStarted">
/// False while nothing that costs money has been seen: an upstream that fails before any content costs nothing.
/// </param>
/// <param name="ErrorType">The type of an <c>error</c> event in the stream, such as <c>overloaded_error</c>.</param>
internal sealed record MeterReading(
    MeteredUsage Usage,
    ReadingQuality Quality,
    string? AnsweredModel = null,
    bool HasStarted = false,
    string? ErrorType = null)
{
    public static readonly MeterReading NotStarted = new(MeteredUsage.Nothing, ReadingQuality.Estimated);

    /// <summary>The word for why an answer that went through to its end is charged by an estimate; null when it is not.</summary>
    public string? Doubt => Quality switch
    {
        ReadingQuality.Exact => null,
        ReadingQuality.Estimated => "no_final_usage",
        ReadingQuality.Suspect => "suspect",
        _ => throw new ArgumentOutOfRangeException(nameof(Quality)),
    };
}

internal enum ReadingQuality
{
    /// <summary>The provider's own final numbers.</summary>
    Exact,

    /// <summary>The final numbers never came; output is the larger of the last report and an estimate from the bytes relayed.</summary>
    Estimated,

    /// <summary>The provider sent a number that cannot be true (negative, or above ten million); that number was ignored.</summary>
    Suspect,
}
