using System.Security.Cryptography;

namespace Ccp.Telemetry;

/// <summary>ccp's own name for a call: 128 random bits, never the client's or the upstream's. A charge is keyed by it.</summary>
internal readonly record struct RequestId(string Value)
{
    public static RequestId New() => new("req_" + RandomNumberGenerator.GetHexString(32, lowercase: true));

    public override string ToString() => Value;
}
