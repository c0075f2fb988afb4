namespace Ccp.Configuration.Sections;

/// <summary>The lanes that are there without a file, and the route between them.</summary>
internal static class BuiltInLanes
{
    /// <summary>The default lane: what nothing else was decided for goes there.</summary>
    public const string Anthropic = "anthropic";
    public const string Zai = "zai";

    /// <summary>The license feature that the second lane asks for.</summary>
    public const string ZaiFeature = "zai_offload";

    private const string ZaiDomain = "z.ai";

    /// <summary>Hold the lanes' keys unless <c>key</c> says otherwise.</summary>
    public const string AnthropicKeyVariable = "DEFAULT_ANTHROPIC_API_KEY";
    public const string ZaiKeyVariable = "ZAI_API_KEY";

    /// <summary>Asked last, when the second lane has a key.</summary>
    public static readonly RouteConfig HaikuRoute = new("claude-haiku-*", Zai, Anthropic, OnlyIfCheaper: false);

    /// <summary>Asked first, when <c>FORCE_HAIKU_TO_ZAI=1</c>.</summary>
    public static readonly RouteConfig ForcedHaikuRoute = HaikuRoute with { Pattern = "*haiku*" };

    /// <returns>The settings that a lane of this name begins with; null for a name that is not built in.</returns>
    public static LaneConfig? Find(string name) => name switch
    {
        Anthropic => Plain(Anthropic, new Uri("https://api.anthropic.com")),
        Zai => Plain(Zai, new Uri("https://api.z.ai/api/anthropic")) with
        {
            Header = LaneHeader.Auto,
            Requires = ZaiFeature,
            ModelMap = [new MappedModel("*haiku*", "glm-4.5-air")],
            StripsBillingHeader = true,
        },
        _ => null,
    };

    /// <summary>The license feature that a provider's address asks for, whatever a lane there is called; null for an address that asks for none.</summary>
    public static string? FeatureOf(Uri baseUrl)
    {
        var host = baseUrl.IdnHost.TrimEnd('.');
        return host == ZaiDomain || host.EndsWith($".{ZaiDomain}", StringComparison.Ordinal) ? ZaiFeature : null;
    }

    /// <summary>A lane with nothing special about it.</summary>
    public static LaneConfig Plain(string name, Uri baseUrl) => new(
        name,
        baseUrl,
        Key: null,
        LaneHeader.ApiKey,
        UsesHttp2: true,
        ForwardHeaders: [],
        ConnectTimeout: TimeSpan.FromSeconds(5),
        FirstByteTimeout: TimeSpan.FromSeconds(120),
        ResponseTimeout: TimeSpan.FromSeconds(600),
        IdleTimeout: TimeSpan.FromSeconds(300),
        PingAfter: TimeSpan.FromSeconds(30),
        PriceAs: null,
        Requires: null,
        ModelMap: [],
        StripsBillingHeader: false,
        AvoidsSafeguards: true);
}
