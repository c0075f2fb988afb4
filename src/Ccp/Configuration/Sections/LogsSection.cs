using Microsoft.Extensions.Logging;

namespace Ccp.Configuration.Sections;

/// <summary><c>[logs]</c>: the usage log and the process log.</summary>
internal static class LogsSection
{
    public static LogsConfig Read(ConfigTable table)
    {
        var config = new LogsConfig(
            table.FilePath("dir") ?? "logs",

            // A file that holds a few lines only would be rotated away by a single busy minute.
            table.ByteSize("max_bytes", 64 << 10, 1L << 40) ?? 20 << 20,
            table.Duration("max_age", TimeSpan.FromMinutes(1), TimeSpan.FromDays(3_650)) ?? TimeSpan.FromHours(24),
            (int)(table.WholeNumber("max_files", 1, 10_000) ?? 10),
            table.Choice(
                "level",
                ("trace", LogLevel.Trace),
                ("debug", LogLevel.Debug),
                ("info", LogLevel.Information),
                ("warning", LogLevel.Warning),
                ("error", LogLevel.Error)) ?? LogLevel.Information,
            table.Choice("format", ("text", LogFormat.Text), ("json", LogFormat.Json)) ?? LogFormat.Text);
        table.RefuseUnknown();
        return config;
    }
}
