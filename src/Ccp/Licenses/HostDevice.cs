using System.Net;
using System.Runtime.InteropServices;
using Ccp.Licensing;

namespace Ccp.Licenses;

/// <summary>This host, as a license that is bound to one names it.</summary>
internal static class HostDevice
{
    public static string Id => LicenseDevice.IdOf(Dns.GetHostName(), "linux", Architecture);

    // As most tools on Linux call them, so that an issuer who is told host and machine gets the same hash.
    private static string Architecture => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        var other => other.ToString().ToLowerInvariant(),
    };
}
