namespace Ccp.Crash.Servers;

/// <summary>What is started.</summary>
internal static class Executables
{
    /// <summary>The ccp under test: <c>CCP_UNDER_TEST</c>, else <c>artifacts/ccp</c> below the directory this was started in.</summary>
    public static string Ccp => Path.GetFullPath(Environment.GetEnvironmentVariable("CCP_UNDER_TEST") ?? "artifacts/ccp");

    /// <summary>The ccp with a broken ledger, which lies beside this program's own output.</summary>
    public static string Canary => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Ccp.Canary", "broken", "ccp"));

    /// <summary>What an executable that is not native needs to find its runtime.</summary>
    public static IReadOnlyDictionary<string, string> RuntimeEnvironment { get; } =
        Environment.GetEnvironmentVariable("DOTNET_ROOT") is { } root ? new Dictionary<string, string> { ["DOTNET_ROOT"] = root } : new Dictionary<string, string>();
}
