using System.Buffers;
using System.Collections.Frozen;
using System.Net.Http.Headers;
using Ccp.Configuration;
using Ccp.Configuration.Sections;
using Microsoft.AspNetCore.Http;

namespace Ccp.Forwarding;

/// <summary>Which headers cross, each way. One table; what is not in it stays.</summary>
/// <remarks>
/// Towards the upstream only named headers pass: a custom header often carries a credential for something in between. Towards the client
/// all pass but the ones named: a new header of the provider must work the day it appears.
/// </remarks>
internal static class HeaderPolicy
{
    /// <summary>Sent to every upstream as they came; content-type goes with the body.</summary>
    private static readonly FrozenSet<string> RequestNames = new[] { "user-agent", "accept" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly string[] RequestPrefixes = ["anthropic-"];

    /// <summary>Sent to Anthropic only: which session, which agent, which machine it is, is no other provider's business.</summary>
    private static readonly string[] AnthropicOnlyPrefixes = ["x-stainless-", "x-claude-code-"];

    private const string AnthropicOnlyName = "x-app";

    /// <summary>Not shown to the client: what describes the hop to the upstream, or the operator's organisation there, what sends it elsewhere, and what ccp says itself.</summary>
    private static readonly FrozenSet<string> NotReturned = new[]
    {
        "set-cookie", "server", "via", "alt-svc", "anthropic-organization-id", "location", "refresh", OwnHeaders.LowBalance,
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",

        // Whoever writes the body says how long it is. A lane may state something else, and the web server would break the answer off there, which is paid for by now.
        "content-length",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>All but the tab, which may stand in a value.</summary>
    private static readonly SearchValues<char> ControlCharacters =
        SearchValues.Create([.. Enumerable.Range(0, ' ').Where(code => code != '\t').Append(0x7F).Select(code => (char)code)]);

    private const string CloudflarePrefix = "cf-";
    private const string OwnPrefix = "x-ccp-";
    private const string RateLimitPrefix = "anthropic-ratelimit-";

    /// <summary>Credentials, what describes this hop, and ccp's own: one list, which the configuration is checked against too.</summary>
    public static bool MayNeverBeForwarded(string name) => ForwardHeaders.WhyNever(name) is not null;

    public static void CopyToUpstream(IHeaderDictionary from, HttpRequestMessage to, LaneConfig lane)
    {
        var connection = from.Connection.ToString();
        foreach (var (name, values) in from)
        {
            if (Crosses(name, lane) && !IsNamedIn(connection, name))
            {
                to.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        // ccp must be able to read the usage, and a client is never sent an encoding it did not ask for.
        to.Headers.TryAddWithoutValidation("accept-encoding", "identity");
    }

    /// <param name="form">Never <see cref="LaneHeader.Auto"/>: one header, one key.</param>
    public static void AddCredential(HttpRequestMessage to, LaneHeader form, Secret key)
    {
        switch (form)
        {
            case LaneHeader.ApiKey:
                to.Headers.TryAddWithoutValidation("x-api-key", key.Reveal());
                break;
            case LaneHeader.Authorization:
                to.Headers.TryAddWithoutValidation("authorization", $"Bearer {key.Reveal()}");
                break;
            case LaneHeader.Passthrough:
                to.Headers.TryAddWithoutValidation("authorization", key.Reveal());
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(form));
        }
    }

    /// <param name="isUsersOwnKey">False: the provider's rate limits are the operator's and would mislead the user.</param>
    /// <param name="key">A header that repeats it stays; null when what was sent is the caller's own.</param>
    public static void CopyToClient(HttpResponseMessage from, IHeaderDictionary to, bool isUsersOwnKey, Secret? key)
    {
        var connection = from.Headers.NonValidated.TryGetValues("connection", out var named) ? named.ToString() : "";
        Copy(from.Headers.NonValidated, to, connection, isUsersOwnKey, key);
        Copy(from.Content.Headers.NonValidated, to, connection, isUsersOwnKey, key);
    }

    private static void Copy(HttpHeadersNonValidated from, IHeaderDictionary to, string connection, bool isUsersOwnKey, Secret? key)
    {
        foreach (var (name, values) in from)
        {
            if (Returns(name, isUsersOwnKey) && !IsNamedIn(connection, name) && !RepeatedKey.IsIn(values.ToString(), key))
            {
                to[name] = values.Count == 1 ? Sendable(values.ToString()) : values.Select(Sendable).ToArray();
            }
        }
    }

    /// <summary>RFC 9110, section 5.5: a control character becomes a space. The web server would refuse the whole answer, which is paid for by now.</summary>
    private static string Sendable(string value) => value.AsSpan().ContainsAny(ControlCharacters)
        ? string.Concat(value.Select(character => ControlCharacters.Contains(character) ? ' ' : character))
        : value;

    private static bool Crosses(string name, LaneConfig lane) =>
        !MayNeverBeForwarded(name)
        && (RequestNames.Contains(name)
            || StartsWithAny(name, RequestPrefixes)
            || (lane.Name == BuiltInLanes.Anthropic && (StartsWithAny(name, AnthropicOnlyPrefixes) || string.Equals(name, AnthropicOnlyName, StringComparison.OrdinalIgnoreCase)))
            || lane.ForwardHeaders.Contains(name, StringComparer.OrdinalIgnoreCase));

    private static bool Returns(string name, bool isUsersOwnKey) =>
        !NotReturned.Contains(name)
        && !name.StartsWith(CloudflarePrefix, StringComparison.OrdinalIgnoreCase)
        && !name.StartsWith(OwnPrefix, StringComparison.OrdinalIgnoreCase)
        && (isUsersOwnKey || !name.StartsWith(RateLimitPrefix, StringComparison.OrdinalIgnoreCase));

    private static bool StartsWithAny(string name, string[] prefixes)
    {
        foreach (var prefix in prefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>RFC 9110, section 7.6.1: a header that <c>connection</c> names belongs to this hop.</summary>
    private static bool IsNamedIn(string connection, string name)
    {
        if (connection.Length == 0 || string.Equals(connection, "keep-alive", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        foreach (var part in connection.AsSpan().Split(','))
        {
            if (connection.AsSpan()[part].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
