using System.Net;

namespace Ccp.Limits;

/// <summary>Where a call comes from.</summary>
/// <param name="Address">IPv4 as such, never mapped into IPv6. Where the caller is not known, the nearest proxy that is.</param>
/// <param name="IsKnown">False for a call that a trusted proxy passed on without saying from whom.</param>
internal readonly record struct Caller(IPAddress Address, bool IsKnown = true);
