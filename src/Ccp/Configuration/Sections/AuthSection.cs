namespace Ccp.Configuration.Sections;

/// <summary><c>[auth]</c>: how callers show who they are, and what becomes of those whom nobody knows.</summary>
internal static class AuthSection
{
    public static AuthConfig Read(ConfigTable table)
    {
        var isLocal = table.Choice("mode", ("tokens", false), ("local", true)) ?? false;
        var config = new AuthConfig((int)(table.WholeNumber("failed_attempts_per_minute", 0, 1_000_000) ?? 20), isLocal);
        table.RefuseUnknown();
        return config;
    }
}
