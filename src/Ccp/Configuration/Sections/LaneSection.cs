using System.Net;
using Ccp.Pricing;

namespace Ccp.Configuration.Sections;

/// <summary><c>[[lane]]</c>: upstreams. A built-in lane that is named gives up only the settings stated.</summary>
internal static class LaneSection
{
    /// <summary>The lane that is always there.</summary>
    public const string Anthropic = "anthropic";

    /// <summary>Holds the lane's key unless <c>key</c> says otherwise.</summary>
    public const string KeyVariable = "DEFAULT_ANTHROPIC_API_KEY";

    private static readonly TimeSpan TimeoutMax = TimeSpan.FromDays(1);

    /// <summary>The lane when the file does not name it.</summary>
    public static LaneConfig BuiltIn(Secret? key) => new(
        Anthropic,
        new Uri("https://api.anthropic.com"),
        key,
        LaneHeader.ApiKey,
        UsesHttp2: true,
        ForwardHeaders: [],
        ConnectTimeout: TimeSpan.FromSeconds(5),
        FirstByteTimeout: TimeSpan.FromSeconds(120),
        ResponseTimeout: TimeSpan.FromSeconds(600),
        IdleTimeout: TimeSpan.FromSeconds(300),
        PingAfter: TimeSpan.FromSeconds(30),
        PriceAs: null);

    public static IReadOnlyList<LaneConfig> Read(IReadOnlyList<ConfigTable> tables, SecretReferences secrets, PriceBook prices, ConfigProblems problems)
    {
        var lanes = new List<LaneConfig>();
        var linesOf = new Dictionary<string, int>();
        foreach (var table in tables)
        {
            table.Require("name");
            var name = table.Text("name");
            if (name is not null && IsLane(table, "name", name))
            {
                Names.EnterOnce(table, "name", name, $"a lane \"{name}\"", linesOf);
            }

            var key = table.Has("key") ? ReadKey(table, secrets) : secrets.ResolveVariable(KeyVariable, problems);
            lanes.Add(ReadLane(table, BuiltIn(key), prices));
        }

        return lanes.Count > 0 ? lanes : [BuiltIn(secrets.ResolveVariable(KeyVariable, problems))];
    }

    /// <summary>Reports a name that no lane has.</summary>
    public static bool IsLane(ConfigTable table, string key, string name)
    {
        if (name == Anthropic)
        {
            return true;
        }

        table.Refuse(key, $"there is no lane \"{ConfigTable.Shown(name)}\"; the lanes are: \"{Anthropic}\"");
        return false;
    }

    private static LaneConfig ReadLane(ConfigTable table, LaneConfig builtIn, PriceBook prices)
    {
        var lane = builtIn with
        {
            BaseUrl = ReadBaseUrl(table) ?? builtIn.BaseUrl,
            Header = table.Choice("header", ("x-api-key", LaneHeader.ApiKey), ("authorization", LaneHeader.Authorization)) ?? builtIn.Header,
            UsesHttp2 = table.Flag("http2") ?? builtIn.UsesHttp2,
            ForwardHeaders = Sections.ForwardHeaders.Read(table),

            // A TLS handshake across an ocean takes a few hundred milliseconds.
            ConnectTimeout = table.Duration("connect_timeout", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5)) ?? builtIn.ConnectTimeout,
            FirstByteTimeout = table.Duration("first_byte_timeout", TimeSpan.FromSeconds(1), TimeoutMax) ?? builtIn.FirstByteTimeout,
            ResponseTimeout = table.Duration("response_timeout", TimeSpan.FromSeconds(1), TimeoutMax) ?? builtIn.ResponseTimeout,

            // The floor is above the upstream's ping interval: below it, a healthy but thoughtful model looks dead.
            IdleTimeout = table.Duration("idle_timeout", TimeSpan.FromSeconds(30), TimeoutMax) ?? builtIn.IdleTimeout,

            // More often than once a second, pings would be most of the stream.
            PingAfter = table.Duration("ping_after", TimeSpan.FromSeconds(1), TimeoutMax) ?? builtIn.PingAfter,
            PriceAs = table.TextOrEmpty("price_as"),
        };
        if (lane.PriceAs is not null && (!Names.IsModel(lane.PriceAs) || prices.Find(lane.PriceAs, DateTimeOffset.MaxValue) is null))
        {
            table.Refuse("price_as", "expected the id of a priced model");
        }

        table.Knows("key");
        table.RefuseUnknown();
        return lane;
    }

    private static Secret? ReadKey(ConfigTable table, SecretReferences secrets)
    {
        var key = secrets.Resolve(table, "key", out var unset);

        // The default name is written in every copied example, set or not; another name was chosen by somebody who meant to set it.
        if (unset is not null and not KeyVariable)
        {
            table.Warn("key", $"the variable {unset} is not set: users without a key of their own will be refused on this lane");
        }

        return key;
    }

    private static Uri? ReadBaseUrl(ConfigTable table)
    {
        var url = UriSetting.Read(table, "base_url", "https", "http");
        if (url is { Scheme: "http" } && !IsLoopback(url.DnsSafeHost))
        {
            table.Warn("base_url", "keys and conversations cross the network unencrypted");
        }

        return url;
    }

    private static bool IsLoopback(string host) =>
        host is "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
