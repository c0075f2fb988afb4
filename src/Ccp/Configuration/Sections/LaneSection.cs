using System.Net;
using Ccp.Pricing;

namespace Ccp.Configuration.Sections;

/// <summary><c>[[lane]]</c>: upstreams. A built-in lane that is named gives up only the settings stated; a lane of another name must say where it is.</summary>
internal static class LaneSection
{
    private static readonly (string, LaneHeader)[] HeaderWords = [("x-api-key", LaneHeader.ApiKey), ("authorization", LaneHeader.Authorization), ("auto", LaneHeader.Auto)];

    private static readonly (string, LaneHeader)[] HeaderWordsOfFile = [.. HeaderWords, ("passthrough", LaneHeader.Passthrough)];

    private static readonly TimeSpan TimeoutMax = TimeSpan.FromDays(1);

    /// <returns>The default lane first, then the other built-in one, then those of the file in its order.</returns>
    public static IReadOnlyList<LaneConfig> Read(IReadOnlyList<ConfigTable> tables, SecretReferences secrets, EnvironmentSwitches switches, PriceBook prices, ConfigProblems problems)
    {
        var lanes = new List<LaneConfig>
        {
            BuiltIn(BuiltInLanes.Anthropic, secrets, problems, tables),
            BuiltIn(BuiltInLanes.Zai, secrets, problems, tables),
        };
        var linesOf = new Dictionary<string, int>();
        foreach (var table in tables)
        {
            var name = Names.ReadOwn(table);
            if (name is not null)
            {
                Names.EnterOnce(table, "name", name, $"a lane \"{name}\"", linesOf);
            }

            var at = lanes.FindIndex(lane => lane.Name == name);
            var lane = ReadLane(table, at >= 0 ? lanes[at] : null, name, secrets, prices);
            if (lane.Header == LaneHeader.Passthrough)
            {
                lane = WithoutKey(table, lane, lanes);
            }

            if (at >= 0)
            {
                lanes[at] = lane;
            }
            else if (name is not null)
            {
                lanes.Add(lane);
            }
        }

        // Whose login is passed on is the file's to say: a variable that is left over changes nothing about it, and is not in force then.
        if (lanes[1].Header != LaneHeader.Passthrough)
        {
            lanes[1] = lanes[1] with { Header = switches.Choice<LaneHeader>("ZAI_HEADER_MODE", HeaderWords) ?? lanes[1].Header };
        }

        return lanes;
    }

    /// <summary>Reports a name that no lane has.</summary>
    public static bool IsLane(ConfigTable table, string key, string name, IReadOnlyList<LaneConfig> lanes)
    {
        if (lanes.Any(lane => lane.Name == name))
        {
            return true;
        }

        table.Refuse(key, $"there is no lane \"{ConfigTable.Shown(name)}\"; the lanes are: {string.Join(", ", lanes.Select(lane => $"\"{lane.Name}\""))}");
        return false;
    }

    /// <summary>A built-in lane with the key of its variable, unless the file names another.</summary>
    private static LaneConfig BuiltIn(string name, SecretReferences secrets, ConfigProblems problems, IReadOnlyList<ConfigTable> tables)
    {
        var variable = KeyVariableOf(name)!;
        var isKeyStated = tables.Any(table => table.Text("name") == name && table.Has("key"));
        return BuiltInLanes.Find(name)! with { Key = isKeyStated ? null : secrets.ResolveVariable(variable, problems) };
    }

    private static string? KeyVariableOf(string? name) => name switch
    {
        BuiltInLanes.Anthropic => BuiltInLanes.AnthropicKeyVariable,
        BuiltInLanes.Zai => BuiltInLanes.ZaiKeyVariable,
        _ => null,
    };

    /// <param name="builtIn">Null for a lane that is the operator's own.</param>
    private static LaneConfig ReadLane(ConfigTable table, LaneConfig? builtIn, string? name, SecretReferences secrets, PriceBook prices)
    {
        var url = ReadBaseUrl(table);
        var header = table.Choice<LaneHeader>("header", HeaderWordsOfFile);
        if (builtIn is null)
        {
            table.Require("base_url");
            if (header != LaneHeader.Passthrough)
            {
                table.Require("key");
            }
        }

        var standing = builtIn ?? BuiltInLanes.Plain(name ?? "", url ?? new Uri("https://lane.invalid"));
        var lane = standing with
        {
            BaseUrl = url ?? standing.BaseUrl,
            Key = table.Has("key") ? ReadKey(table, secrets, KeyVariableOf(name)) : standing.Key,
            Header = header ?? standing.Header,
            UsesHttp2 = table.Flag("http2") ?? standing.UsesHttp2,
            ForwardHeaders = Sections.ForwardHeaders.Read(table),

            // A TLS handshake across an ocean takes a few hundred milliseconds.
            ConnectTimeout = table.Duration("connect_timeout", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5)) ?? standing.ConnectTimeout,
            FirstByteTimeout = table.Duration("first_byte_timeout", TimeSpan.FromSeconds(1), TimeoutMax) ?? standing.FirstByteTimeout,
            ResponseTimeout = table.Duration("response_timeout", TimeSpan.FromSeconds(1), TimeoutMax) ?? standing.ResponseTimeout,

            // The floor is above the upstream's ping interval: below it, a healthy but thoughtful model looks dead.
            IdleTimeout = table.Duration("idle_timeout", TimeSpan.FromSeconds(30), TimeoutMax) ?? standing.IdleTimeout,

            // More often than once a second, pings would be most of the stream.
            PingAfter = table.Duration("ping_after", TimeSpan.FromSeconds(1), TimeoutMax) ?? standing.PingAfter,
            PriceAs = table.TextOrEmpty("price_as") ?? standing.PriceAs,
            Requires = table.Has("requires") ? table.TextOrEmpty("requires") : standing.Requires ?? BuiltInLanes.FeatureOf(url ?? standing.BaseUrl),
            ModelMap = ReadModelMap(table) ?? standing.ModelMap,
            StripsBillingHeader = ReadStrip(table) ?? standing.StripsBillingHeader,
            AvoidsSafeguards = table.Choice("safeguards", ("avoid", true), ("allow", false)) ?? standing.AvoidsSafeguards,
        };
        CheckPrices(table, lane, prices);
        CheckRequires(table, lane);
        table.RefuseUnknown();
        return lane;
    }

    private static void CheckRequires(ConfigTable table, LaneConfig lane)
    {
        if (lane.Name == BuiltInLanes.Anthropic && lane.Requires is not null)
        {
            table.Refuse(table.Has("requires") ? "requires" : "base_url", "the default lane works without a license; what needs one goes to another lane");
        }
        else if (BuiltInLanes.FeatureOf(lane.BaseUrl) is { } feature && lane.Requires != feature)
        {
            table.Refuse("requires", $"{lane.BaseUrl.IdnHost} takes a license with the feature \"{feature}\", by whatever name the lane goes; leave the setting out");
        }
    }

    /// <summary>A login belongs to one provider, so one lane may pass it on. No key of ccp's goes there, not even one that lies in the environment.</summary>
    private static LaneConfig WithoutKey(ConfigTable table, LaneConfig lane, List<LaneConfig> others)
    {
        if (table.Has("key"))
        {
            table.Refuse("key", "a lane with header = \"passthrough\" passes on each caller's own login and uses no key; leave one of the two out");
        }

        if (others.FirstOrDefault(other => other.Name != lane.Name && other.Header == LaneHeader.Passthrough) is { } other)
        {
            table.Refuse("header", $"the lane \"{other.Name}\" passes on callers' logins already, and a login belongs to one provider");
        }

        return lane with { Key = null };
    }

    private static void CheckPrices(ConfigTable table, LaneConfig lane, PriceBook prices)
    {
        if (table.Has("price_as") && lane.PriceAs is not null && !IsPriced(lane.PriceAs, prices))
        {
            table.Refuse("price_as", "expected the id of a priced model");
        }

        if (table.Has("model_map") && lane.PriceAs is null)
        {
            foreach (var mapped in lane.ModelMap.Where(mapped => !IsPriced(mapped.Name, prices)))
            {
                table.Warn("model_map", $"{ConfigTable.Shown(mapped.Name)} has no price: calls that are mapped to it will be refused. Add a [[price]] for it, or state price_as");
            }
        }
    }

    private static bool IsPriced(string model, PriceBook prices) => Names.IsModel(model) && prices.Find(model, DateTimeOffset.MaxValue) is not null;

    private static List<MappedModel>? ReadModelMap(ConfigTable table)
    {
        if (table.Table("model_map") is not { } map)
        {
            return null;
        }

        var models = new List<MappedModel>();
        foreach (var pattern in map.Keys)
        {
            if (map.Text(pattern) is { } name && Names.IsModel(pattern) && Names.IsModel(name) && !ModelGlob.IsGlob(name))
            {
                models.Add(new MappedModel(pattern, name));
            }
            else
            {
                map.Refuse(pattern, "expected a model, or a pattern of models, and the name it has on this lane: \"claude-haiku-*\" = \"glm-4.5-air\"");
            }
        }

        return models;
    }

    private static bool? ReadStrip(ConfigTable table)
    {
        const string BillingHeader = "system.billing_header";
        if (table.Texts("strip", $"a list of \"{BillingHeader}\"") is not { } parts)
        {
            return null;
        }

        foreach (var part in parts.Where(part => part.Text != BillingHeader))
        {
            table.Refuse("strip", part.At, $"there is nothing called \"{ConfigTable.Shown(part.Text)}\" to take out; there is \"{BillingHeader}\"");
        }

        return parts.Count > 0;
    }

    private static Secret? ReadKey(ConfigTable table, SecretReferences secrets, string? usual)
    {
        var key = secrets.Resolve(table, "key", out var unset);

        // The usual name is written in every copied example, set or not; another name was chosen by somebody who meant to set it.
        if (unset is not null && unset != usual)
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
