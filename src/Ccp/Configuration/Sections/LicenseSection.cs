namespace Ccp.Configuration.Sections;

/// <summary><c>[license]</c>: where the license pack is kept.</summary>
internal static class LicenseSection
{
    public static LicenseConfig Read(ConfigTable table)
    {
        var config = new LicenseConfig(table.FilePath("path") ?? "license.pack");
        table.RefuseUnknown();
        return config;
    }
}
