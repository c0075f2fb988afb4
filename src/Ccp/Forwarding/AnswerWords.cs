using Ccp.Configuration;
using Ccp.Refusals;
using Ccp.Routing;

namespace Ccp.Forwarding;

/// <summary>What the client is told in the place of a lane's answer, or after one that did not end by itself.</summary>
internal static class AnswerWords
{
    private const string Restart = "ccp is being restarted by its operator and could not wait for this answer any longer. Ask again in a moment.";

    public static Refusal ShuttingDown() => new(RefusalCode.ShuttingDown, Restart);

    public static Refusal Unreachable(LaneConfig lane) =>
        new(RefusalCode.LaneUnreachable, $"ccp cannot reach the {lane.Name} lane at the moment. It is worth asking again; if it stays so, your operator sees the reason in ccp's log.");

    public static Refusal TimedOut(LaneConfig lane) =>
        new(RefusalCode.LaneTimedOut, $"The {lane.Name} lane did not begin to answer in the time that ccp allows. It is worth asking again.");

    /// <param name="what">What the lane did.</param>
    public static Refusal Unreadable(LaneConfig lane, string what) =>
        new(RefusalCode.UpstreamAnswerUnreadable, $"The {lane.Name} lane {what}. Your operator can look at what stands between ccp and the provider.");

    public static Refusal KeyRefused(LaneConfig lane, int status) => new(
        RefusalCode.UpstreamKeyRefused,
        $"The proxy's credential was refused by the {lane.Name} lane (status {status}). Logging in again does not help: your operator must look at the API key that ccp uses for you, or its credit.");

    /// <summary>In a stream that has begun.</summary>
    public static (string Type, string Message) ForEnd(RelayEnd end, LanePlan plan) => end switch
    {
        RelayEnd.OutOfCredit => ("billing_error", "Your ccp balance was used up while this answer was written, so it was ended. Ask your operator for a top-up."),
        RelayEnd.SpendLimit => ("billing_error", "The spending limit that ccp has for you was passed while this answer was written, so it was ended. Ask your operator to raise it, or go on when the next day or month begins (UTC)."),
        RelayEnd.ShutDown => ("api_error", Restart),
        RelayEnd.UpstreamStalled => ("api_error", $"The {plan.Lane.Name} lane sent nothing for {plan.Lane.IdleTimeout.TotalSeconds:0} seconds; ccp gave up waiting. Ask again."),
        _ => ("api_error", $"The connection to the {plan.Lane.Name} lane broke in the middle of this answer. Ask again."),
    };
}
