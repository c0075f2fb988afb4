using Ccp.Configuration;
using Ccp.Pricing;

namespace Ccp.Limits;

/// <summary>A call's place among its user's calls in progress, held to the end of the answer's body. Empty until <see cref="Admission"/> fills it.</summary>
internal sealed class Slot(TimeProvider time) : IDisposable
{
    private UserActivity? _activity;
    private UserLimits? _limits;
    private int _freeParts;

    /// <summary>What the call used, as far as it is known when it ends.</summary>
    public TokenUsage Used { get; set; }

    public void Occupy(UserActivity activity, UserLimits limits)
    {
        _activity = activity;
        _limits = limits;
    }

    /// <summary>For a call that costs nothing.</summary>
    public void OccupyFree(UserActivity activity, int parts)
    {
        _activity = activity;
        _freeParts = parts;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _activity, null) is not { } activity)
        {
            return;
        }

        if (_limits is { } limits)
        {
            activity.Leave(limits, Used, Admission.Monotonic(time));
        }
        else
        {
            activity.LeaveFree(_freeParts);
        }
    }
}
