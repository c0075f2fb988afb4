namespace Ccp.Configuration.Sections;

/// <summary>Addresses of other servers.</summary>
internal static class UriSetting
{
    /// <summary>Reads an absolute address with nothing after its path.</summary>
    /// <param name="schemes">Those that will do.</param>
    /// <returns>Null when absent, empty, or wrong; the last is reported.</returns>
    public static Uri? Read(ConfigTable table, string key, params string[] schemes)
    {
        if (table.TextOrEmpty(key) is not { } text)
        {
            return null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || !schemes.Contains(uri.Scheme)
            || uri.Host.Length == 0
            || uri.Query.Length + uri.Fragment.Length > 0)
        {
            // Not repeated: an address can carry a password.
            table.Refuse(key, $"expected an address that begins with {string.Join(" or ", schemes.Select(scheme => $"{scheme}://"))} and has no query");
            return null;
        }

        if (uri.UserInfo.Length > 0)
        {
            table.Refuse(key, "a name and password are never written into the file itself; leave them out of the address");
            return null;
        }

        return uri;
    }
}
