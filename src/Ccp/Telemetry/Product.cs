using System.Reflection;

namespace Ccp.Telemetry;

/// <summary>What this executable is called and which version it is.</summary>
internal static class Product
{
    public static string Version { get; } =
        typeof(Product).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
