namespace Ccp.Forwarding;

/// <summary>The headers that ccp itself adds to an answer.</summary>
internal static class OwnHeaders
{
    public const string RequestId = "x-ccp-request-id";
    public const string LowBalance = "x-low-balance-warning";
}
