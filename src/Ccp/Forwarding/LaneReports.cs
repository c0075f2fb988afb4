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

    /// <param name="cause">Why ccp waited no longer for an answer to begin.</param>
    public static void Report(this LaneVisit visit, RelayEnd cause)
    {
        if (cause == RelayEnd.TimedOut)
        {
            visit.Failed("no answer in time");
        }
    }
}
