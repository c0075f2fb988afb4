using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Identity;
using Ccp.Pricing;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Telemetry;

namespace Ccp.Usage;

/// <summary>The one account of a call: filled as the call goes along, read once when it is over. No stage decides anything by it.</summary>
internal sealed class CallReport(RequestId id, DateTimeOffset startedAt)
{
    private LanePlan? _plan;

    public RequestId Id { get; } = id;

    public DateTimeOffset StartedAt { get; } = startedAt;

    /// <summary>The same moment, for spans of time.</summary>
    public long StartedTimestamp { get; init; }

    public User? User { get; set; }

    public RequestFacts? Facts { get; set; }

    /// <summary>Where it goes, or went last.</summary>
    public LanePlan? Plan
    {
        get => _plan;
        set
        {
            _plan = value;
            Decided ??= value;
        }
    }

    /// <summary>Where it was to go, whichever lane took over later.</summary>
    public LanePlan? Decided { get; private set; }

    /// <summary>The header that the lane's key was last sent in.</summary>
    public LaneHeader Form { get; set; }

    /// <summary>Attempts after the first.</summary>
    public int Retries { get; set; }

    /// <summary>Set when the call went to another lane after one had failed; <see cref="Plan"/> is then the other one's.</summary>
    public LaneFallback? Fallback { get; set; }

    /// <summary>From <c>x-claude-code-agent-id</c>: which sub-agent asked.</summary>
    public string? Agent { get; set; }

    /// <summary>From the header, else from the body.</summary>
    public string? Session { get; set; }

    public ForwardResult? Result { get; set; }

    public Refusal? Refusal { get; set; }

    public Charge? Charge { get; set; }

    /// <summary>What was charged for; null when nothing was used.</summary>
    public MeteredUsage? Owed { get; set; }

    public bool IsEstimated { get; set; }

    public TimeSpan Elapsed { get; set; }

    /// <summary>True when nobody was left to answer by the end.</summary>
    public bool HasClientLeft { get; set; }

    public int Status => Refusal is { } no ? RefusalMap.ToWire(no.Code).Status : Result?.Status ?? 0;

    /// <summary>One word for how it went.</summary>
    public string Reason => Result is { IsSuccess: true, End: RelayEnd.OutOfCredit or RelayEnd.SpendLimit or RelayEnd.ShutDown } ended ? ended.End.ToReason()
        : Refusal is { } no ? no.Code.ToReason()
        : Result is not { } result ? (HasClientLeft ? RelayEnd.ClientLeft.ToReason() : "internal_error")
        : result.End == RelayEnd.ClientLeft ? RelayEnd.ClientLeft.ToReason()
        : !result.IsSuccess ? "upstream_error"
        : result.End != RelayEnd.Complete ? result.End.ToReason()
        : result.Reading.ErrorType is not null ? "upstream_error"
        : IsEstimated && result.Reading.Doubt is { } doubt ? doubt
        : Facts?.IsStream == true ? "streaming"
        : "ok";
}

/// <param name="From">The lane that failed.</param>
/// <param name="Wasted">The time that went by with it.</param>
internal sealed record LaneFallback(string From, Setback Cause, TimeSpan Wasted);
