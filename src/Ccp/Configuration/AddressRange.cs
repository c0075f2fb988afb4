using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ccp.Configuration;

/// <summary>A range of addresses as it is typed: <c>10.0.0.0/8</c>, <c>2001:db8::/32</c>, or one address.</summary>
internal static class AddressRange
{
    public const string Expected = "an address range such as \"10.0.0.0/8\" or \"2001:db8::/32\", or one address";

    /// <summary>An address inside a range with its own bits set, 10.1.2.3/8, is refused: it may be a slip of either half.</summary>
    public static bool TryParse(string text, out IPNetwork range)
    {
        range = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var digits = slash < 0 ? text : text[..slash];

        // "10" and "10.1" would be read as 0.0.0.10 and 10.0.0.1, and nobody means that.
        if (!IPAddress.TryParse(digits, out var address) || (address.AddressFamily == AddressFamily.InterNetwork && digits.Count(c => c == '.') != 3)
            || address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } || address.IsIPv4MappedToIPv6)
        {
            return false;
        }

        var bitsMax = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var bits = bitsMax;
        if (slash >= 0 && !(int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits) && bits <= bitsMax))
        {
            return false;
        }

        if (HasBitsBeyond(address, bits))
        {
            return false;
        }

        range = new IPNetwork(address, bits);
        return true;
    }

    private static bool HasBitsBeyond(IPAddress address, int bits)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = bits; bit < bytes.Length * 8; bit++)
        {
            if ((bytes[bit / 8] & (0x80 >> (bit % 8))) != 0)
            {
                return true;
            }
        }

        return false;
    }
}
