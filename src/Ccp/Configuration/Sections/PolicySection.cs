using System.Net;

namespace Ccp.Configuration.Sections;

/// <summary><c>[policy]</c>: where a signed policy pack is fetched from, and whose signature counts.</summary>
internal static class PolicySection
{
    private const int KeyBytes = 32;

    public static PolicyConfig Read(ConfigTable table)
    {
        var keys = ReadKeys(table);
        var config = new PolicyConfig(
            ReadUrl(table),
            keys,
            table.Duration("refresh", TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)) ?? TimeSpan.FromMinutes(15));
        if (config.Source is not null && keys.Count == 0 && !table.Has("public_key"))
        {
            table.Refuse("url", "state the public_key that the pack is signed with: an unsigned one counts for nothing");
        }

        if (config.Source is null && keys.Count > 0 && !table.Has("url"))
        {
            table.Warn("public_key", "without a url there is no policy to check with it");
        }

        table.RefuseUnknown();
        return config;
    }

    /// <summary>An address, or a file's path.</summary>
    private static string? ReadUrl(ConfigTable table)
    {
        if (table.TextOrEmpty("url") is not { } text)
        {
            return null;
        }

        if (!text.Contains("://", StringComparison.Ordinal))
        {
            return table.FilePath("url");
        }

        var url = UriSetting.Read(table, "url", "https", "http");
        if (url is { Scheme: "http" } && !IsLoopback(url.DnsSafeHost))
        {
            table.Refuse("url", "expected https, a file's path, or http on this host: others could hold a policy back");
        }

        return url?.AbsoluteUri;
    }

    private static List<byte[]> ReadKeys(ConfigTable table)
    {
        const string Expected = "a public key, 32 bytes in base64, or a list of such";
        var keys = new List<byte[]>();
        foreach (var text in table.Texts("public_key", Expected) ?? [])
        {
            var bytes = new byte[KeyBytes];
            if (Convert.TryFromBase64String(text.Text, bytes, out var length) && length == KeyBytes)
            {
                keys.Add(bytes);
            }
            else if (text.Text.Length > 0)
            {
                table.Refuse("public_key", text.At, $"expected {Expected}");
            }
        }

        return keys;
    }

    private static bool IsLoopback(string host) => host is "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
