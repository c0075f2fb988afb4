using System.Net;

namespace Ccp.Configuration;

/// <summary>Where to listen: an IP address and port, or a unix socket.</summary>
/// <param name="EndPoint">Null for a unix socket.</param>
/// <param name="UnixSocketPath">Null for an IP address.</param>
internal sealed record ListenAddress(IPEndPoint? EndPoint, string? UnixSocketPath)
{
    /// <summary>True where nobody on a network can listen in.</summary>
    public bool IsLocal => EndPoint is null || IPAddress.IsLoopback(EndPoint.Address);

    /// <summary>Reads <c>127.0.0.1:8082</c>, <c>[::1]:8082</c>, <c>localhost:8082</c> or <c>unix:/run/ccp.sock</c>. Port 0 lets the system choose.</summary>
    public static bool TryParse(string text, out ListenAddress? address)
    {
        address = null;
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            address = text.Length > 5 && text[5] == '/' ? new ListenAddress(null, text[5..]) : null;
            return address is not null;
        }

        var numeric = text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" + text[9..] : text;
        if (numeric.LastIndexOf(':') <= numeric.LastIndexOf(']') || !IPEndPoint.TryParse(numeric, out var endPoint))
        {
            return false;
        }

        address = new ListenAddress(endPoint, null);
        return true;
    }

    public override string ToString() => EndPoint?.ToString() ?? $"unix:{UnixSocketPath}";
}
