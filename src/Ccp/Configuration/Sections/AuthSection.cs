namespace Ccp.Configuration.Sections;

/// <summary><c>[auth]</c>: what becomes of callers whom nobody knows.</summary>
internal static class AuthSection
{
    public static AuthConfig Read(ConfigTable table)
    {
        var config = new AuthConfig((int)(table.WholeNumber("failed_attempts_per_minute", 0, 1_000_000) ?? 20));
        table.RefuseUnknown();
        return config;
    }
}
