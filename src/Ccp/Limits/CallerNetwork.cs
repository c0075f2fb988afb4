using System.Buffers.Binary;
using System.Net;

namespace Ccp.Limits;

/// <summary>Whom an address counts as where callers are counted by address: itself; of IPv6, its /64, in which one customer may call from anywhere.</summary>
internal static class CallerNetwork
{
    /// <param name="address">IPv4 as such, never mapped into IPv6.</param>
    public static UInt128 Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        address.TryWriteBytes(bytes, out var written);
        var number = BinaryPrimitives.ReadUInt128BigEndian(bytes);

        // IPv4 stands in the first 32 bits; the last bit keeps it apart from an IPv6 network that begins alike.
        return written == 4 ? number | 1 : number >> 64 << 64;
    }
}
