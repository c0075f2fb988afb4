using System.Collections.Frozen;

namespace Ccp.Configuration.Sections;

/// <summary><c>forward_headers</c>: request headers that cross to the upstream beside the standing list.</summary>
internal static class ForwardHeaders
{
    private const string Credential = "it carries a credential, and a caller's credentials end at ccp";
    private const string Hop = "it belongs to one connection and means nothing on the next";
    private const string Origin = "it would tell the upstream where the caller is";
    private const string Own = "it is ccp's own";
    private const string OfBody = "it describes a body, and of such headers only content-type goes along";

    private static readonly FrozenDictionary<string, string> Never = new Dictionary<string, string>
    {
        ["authorization"] = Credential,
        ["x-api-key"] = Credential,
        ["x-auth-token"] = Credential,
        ["cookie"] = Credential,
        ["connection"] = Hop,
        ["keep-alive"] = Hop,
        ["te"] = Hop,
        ["trailer"] = Hop,
        ["transfer-encoding"] = Hop,
        ["upgrade"] = Hop,
        ["expect"] = Hop,
        ["content-length"] = "the length of the body sets it",
        ["allow"] = OfBody,
        ["content-disposition"] = OfBody,
        ["content-encoding"] = OfBody,
        ["content-language"] = OfBody,
        ["content-location"] = OfBody,
        ["content-md5"] = OfBody,
        ["content-range"] = OfBody,
        ["expires"] = OfBody,
        ["last-modified"] = OfBody,
        ["host"] = "the lane's base_url sets it",
        ["accept-encoding"] = "usage is read from the answer, which therefore comes uncompressed",
        ["forwarded"] = Origin,
        ["x-real-ip"] = Origin,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly (string Prefix, string Reason)[] NeverPrefixes = [("proxy-", Credential), ("x-ccp-", Own), ("x-forwarded-", Origin)];

    /// <returns>Lower case, each name once.</returns>
    public static IReadOnlyList<string> Read(ConfigTable table)
    {
        const string Key = "forward_headers";
        var names = new List<string>();
        foreach (var text in table.Texts(Key, "a list of header names") ?? [])
        {
            var name = text.Text.ToLowerInvariant();
            if (!IsHeaderName(name))
            {
                table.Refuse(Key, text.At, $"\"{ConfigTable.Shown(text.Text)}\" is not a header name");
            }
            else if (WhyNever(name) is { } reason)
            {
                table.Refuse(Key, text.At, $"{name} is never forwarded: {reason}");
            }
            else if (!names.Contains(name))
            {
                names.Add(name);
            }
        }

        return names;
    }

    /// <returns>Why a request header never leaves ccp, whatever a lane names; null when it may.</returns>
    public static string? WhyNever(string name)
    {
        if (Never.TryGetValue(name, out var reason))
        {
            return reason;
        }

        foreach (var (prefix, why) in NeverPrefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return why;
            }
        }

        return null;
    }

    /// <summary>A token in the sense of RFC 9110, section 5.6.2.</summary>
    private static bool IsHeaderName(string name) =>
        name.Length is > 0 and <= 100 && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));
}
