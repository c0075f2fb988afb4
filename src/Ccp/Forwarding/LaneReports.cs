using System.Net;
using Ccp.Routing;

namespace Ccp.Forwarding;

/// <summary>What an attempt tells of the lane itself: the head of an answer does, and the want of a connection or of any answer. What comes later, or what its client gives up, tells nothing.</summary>
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
    /// <param name="described">For the log.</param>
    public static void Report(this LaneVisit visit, Exception error, string described)
    {
        if (RetryPolicy.IsWithoutConnection(error))
        {
            visit.Failed(described);
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
