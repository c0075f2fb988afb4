using Ccp.Metering;
using Ccp.Refusals;

namespace Ccp.Forwarding;

/// <summary>What became of a call that was sent to an upstream.</summary>
/// <param name="Status">The upstream's; 0 when it never answered.</param>
/// <param name="Refusal">Set when nothing reached the client and ccp must say why.</param>
/// <param name="Reading">What was used, as far as it is known.</param>
/// <param name="BytesSeen">Of the answer's body.</param>
/// <param name="TimeToFirstByte">To the first byte of the answer's body: from sending the request, and, once the call is over, from its arrival.</param>
internal sealed record ForwardResult(
    int Status,
    RelayEnd End,
    Refusal? Refusal,
    MeterReading Reading,
    long BytesSeen = 0,
    TimeSpan? TimeToFirstByte = null,
    TimeSpan? TimeToHead = null,
    string? UpstreamRequestId = null,
    bool UsedHttp2 = false)
{
    /// <param name="wasSent">Whether the upstream may have something to work on.</param>
    public static ForwardResult NoAnswer(RelayEnd end, Refusal? refusal, bool wasSent = false) => new(0, end, refusal, MeterReading.NotStarted) { WasSent = wasSent };

    /// <summary>False when not a byte of the request's body can have left.</summary>
    public bool WasSent { get; init; } = true;

    /// <summary>Set when nothing of the answer was relayed and the call may be made once more.</summary>
    public Setback? Setback { get; init; }

    /// <summary>How long the lane asks to be left alone; null when it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the lane knew the key it was sent.</summary>
    public bool TookKey => Status is >= 200 and < 500 and not (401 or 403);

    public bool IsSuccess => Status is >= 200 and < 300;
}
