using Ccp.Configuration;
using Ccp.Pricing;

namespace Ccp.Limits;

/// <summary>A call's place among its user's calls in progress, held to the end of the answer's body. Empty until <see cref="Admission.Enter"/> fills it.</summary>
internal sealed class Slot(TimeProvider time) : IDisposable
{
    private UserActivity? _activity;
    private UserLimits? _limits;

    /// <summary>What the call used, as far as it is known when it ends.</summary>
    public TokenUsage Used { get; set; }

    public void Occupy(UserActivity activity, UserLimits limits)
    {
        _activity = activity;
        _limits = limits;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _activity, null) is { } activity)
        {
            activity.Leave(_limits!, Used, Admission.Monotonic(time));
        }
    }
}
