using System.Net;
using Ccp.Routing;

namespace Ccp.Forwarding;

/// <summary>What an attempt tells of the lane itself: the head of an answer does, and the want of any, whether there was a connection or not. What comes later, or what its client gives up, tells nothing.</summary>
internal static class LaneReports
{
    public static void Report(this LaneVisit visit, HttpStatusCode status)
    {
        if (RetryPolicy.IsLanesFailure(status))
        {
            visit.Failed($"status {(int)status}");
        }
        else
        {
            visit.Answered();
        }
    }

    /// <param name="error">Not one that ccp asked for.</param>
    /// <param name="wasSent">The request was on its way. One that could not even be written says nothing of the lane: its headers may be too large, which is its caller's doing.</param>
    public static void Report(this LaneVisit visit, Exception error, bool wasSent)
    {
        if (RetryPolicy.IsWithoutConnection(error))
        {
            visit.Failed(LaneFaults.Describe(error));
        }
        else if (wasSent)
        {
            visit.Dropped(LaneFaults.Describe(error));
        }
    }
}
