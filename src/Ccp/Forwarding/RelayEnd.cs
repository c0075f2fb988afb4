namespace Ccp.Forwarding;

/// <summary>How the upstream's answer ended: who ended it, and when.</summary>
internal enum RelayEnd
{
    Complete,
    ClientLeft,

    /// <summary>The connection broke, or a stream ended without saying that it was over.</summary>
    UpstreamCut,

    /// <summary>Nothing came for longer than the lane's idle timeout.</summary>
    UpstreamStalled,

    /// <summary>No answer began within the lane's time.</summary>
    TimedOut,

    /// <summary>The account was overdrawn.</summary>
    OutOfCredit,

    /// <summary>The user's spending limit was passed.</summary>
    SpendLimit,
    ShutDown,
}

internal static class RelayEndNames
{
    /// <summary>The word in the usage log, the request record and the ledger's note.</summary>
    public static string ToReason(this RelayEnd end) => end switch
    {
        RelayEnd.Complete => "ok",
        RelayEnd.ClientLeft => "client_left",
        RelayEnd.UpstreamCut => "upstream_cut",
        RelayEnd.UpstreamStalled => "upstream_stalled",
        RelayEnd.TimedOut => "timeout",
        RelayEnd.OutOfCredit => "out_of_credit",
        RelayEnd.SpendLimit => "spend_limit",
        RelayEnd.ShutDown => "shutdown",
        _ => throw new ArgumentOutOfRangeException(nameof(end)),
    };
}
