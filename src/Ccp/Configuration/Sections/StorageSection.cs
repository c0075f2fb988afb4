namespace Ccp.Configuration.Sections;

/// <summary><c>[storage]</c>: where accounts and records are kept, and how firmly.</summary>
internal static class StorageSection
{
    public static StorageConfig Read(ConfigTable table)
    {
        var path = table.FilePath("path");
        if (path is null && table.Has("path") && table.Text("path") is "")
        {
            table.Refuse("path", "expected the path of a database file");
        }
        else if (path?.Contains("://", StringComparison.Ordinal) == true)
        {
            // Not repeated: such an address usually carries a password.
            table.Refuse("path", "expected the path of a database file; a database server cannot be used");
        }

        var config = new StorageConfig(
            path ?? "ccp.db",
            table.Choice("durability", ("full", true), ("normal", false)) ?? true,

            // Below the floor a record could be gone before a long answer that it describes has ended.
            table.Duration("request_records", TimeSpan.FromHours(1), TimeSpan.FromDays(36_500)) ?? TimeSpan.FromDays(90));
        table.RefuseUnknown();
        return config;
    }
}
