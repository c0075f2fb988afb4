using System.Text;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests.Isolation;

/// <summary>Everybody's secrets, and the headers that carry what must not cross.</summary>
internal static class Parties
{
    public const string Bob = "6e9f3a54-1c07-4a8d-b2e6-95d04c7f8a21";
    public const string ZaiKey = "zai-key-that-must-stay-inside";
    public const string HouseKey = "house-key-that-must-stay-inside";
    public const string BobsKey = "bobs-key-that-must-stay-inside";

    /// <summary>A caller's own, to the provider of the default lane: it goes there where that lane passes logins on, and nowhere else.</summary>
    public const string Login = "sk-ant-oat01-login-of-a-subscriber";

    /// <summary>In every value that the client sends and no upstream may see.</summary>
    public const string ClientCanary = "client-canary";

    /// <summary>In every value that an upstream sends and no client may see.</summary>
    public const string UpstreamCanary = "upstream-canary";

    /// <summary>What may stand in no request to an upstream, in no answer to a client, and in no file.</summary>
    public static IReadOnlyList<string> Secrets { get; } = [CcpUnderTest.Alice, Bob, CcpUnderTest.TeamKey, ZaiKey, HouseKey, BobsKey, Login, ClientCanary, UpstreamCanary];

    public static IReadOnlyList<(string Name, string Value)> ForEveryLane { get; } =
    [
        ("accept", "application/json"),
        ("anthropic-version", "2026-10-21"),
        ("anthropic-beta", "oauth-2025-04-20,made-up-2027-01-01"),
        ("anthropic-made-up-tomorrow", "a; b=\"c\""),
        ("user-agent", "claude-cli/2.1.330 (external, cli)"),
    ];

    public static IReadOnlyList<(string Name, string Value)> ForAnthropic { get; } =
    [
        ("x-app", "cli"),
        ("x-stainless-os", "Linux"),
        ("x-stainless-retry-count", "0"),
        ("x-claude-code-session-id", "session-1"),
        ("x-claude-code-agent-id", "agent-1"),
    ];

    /// <summary>Named by the lane's <c>forward_headers</c>.</summary>
    public static IReadOnlyList<(string Name, string Value)> ForHouse { get; } = [("x-team", "blue")];

    public static IReadOnlyList<(string Name, string Value)> ForNobody { get; } =
    [
        ("cookie", $"session={ClientCanary}"),
        ("proxy-authorization", $"Basic {ClientCanary}"),
        ("proxy-connection", ClientCanary),
        ("x-forwarded-for", $"203.0.113.7, {ClientCanary}"),
        ("x-forwarded-host", ClientCanary),
        ("x-forwarded-proto", ClientCanary),
        ("forwarded", $"for={ClientCanary}"),
        ("x-real-ip", ClientCanary),
        ("x-ccp-request-id", ClientCanary),
        ("x-ccp-made-up", ClientCanary),
        // On the list of what passes, but for this hop only.
        ("connection", "x-stainless-hop"),
        ("x-stainless-hop", ClientCanary),
        ("te", ClientCanary),
        ("via", $"1.1 {ClientCanary}"),
        ("origin", $"https://{ClientCanary}.example"),
        ("referer", $"https://{ClientCanary}.example/"),
        ("traceparent", ClientCanary),
        ("accept-encoding", $"gzip, {ClientCanary}"),
        ("accept-language", ClientCanary),
        ("cf-access-client-secret", ClientCanary),
        ("x-vpn-token", ClientCanary),
        ("x-anthropic-billing-header", ClientCanary),
        ("x-custom", ClientCanary),
    ];

    /// <summary>With every answer of every upstream.</summary>
    public static (string Name, string Value)[] FromUpstream(string status) =>
    [
        ("request-id", "req_upstream"),
        ("x-made-up-tomorrow", status),
        ("set-cookie", $"a={UpstreamCanary}"),
        ("set-cookie", $"b={UpstreamCanary}; Path=/"),
        ("server", UpstreamCanary),
        ("via", $"1.1 {UpstreamCanary}"),
        ("alt-svc", UpstreamCanary),
        ("cf-ray", UpstreamCanary),
        ("cf-cache-status", UpstreamCanary),
        ("anthropic-organization-id", UpstreamCanary),
        ("x-ccp-request-id", UpstreamCanary),
        ("x-ccp-made-up", UpstreamCanary),
        ("proxy-authenticate", UpstreamCanary),
        ("location", $"https://{UpstreamCanary}.example/"),
        ("refresh", $"0; url=https://{UpstreamCanary}.example/"),
        ("x-low-balance-warning", UpstreamCanary),
        ("anthropic-ratelimit-requests-remaining", "41"),
    ];

    public static string TokenOf(ClientForm form) => form == ClientForm.OwnKey ? Bob : CcpUnderTest.Alice;

    public static string KeyOf(string lane, ClientForm form) => lane switch
    {
        IsolationCase.Anthropic => form == ClientForm.OwnKey ? BobsKey : CcpUnderTest.TeamKey,
        IsolationCase.Zai => ZaiKey,
        _ => HouseKey,
    };

    /// <summary>What of everybody's secrets stands somewhere, byte for byte, and may not.</summary>
    public static IEnumerable<string> FoundIn(byte[] bytes, params string[] allowed) =>
        Secrets.Except(allowed, StringComparer.Ordinal).Where(secret => bytes.AsSpan().IndexOf(Encoding.Latin1.GetBytes(secret)) >= 0);
}
