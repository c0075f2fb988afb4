using System.Globalization;

namespace Ccp.WireTests.Isolation;

/// <summary>One cell of the matrix: how the client shows who it is, which lane is wanted, why that one is left, and what the last one says.</summary>
internal sealed record IsolationCase(ClientForm Form, string Wanted, LaneTrouble Trouble, FinalAnswer Answer)
{
    public const string Anthropic = "anthropic";
    public const string Zai = "zai";
    public const string House = "house";

    public static readonly string[] Lanes = [Anthropic, Zai, House];

    /// <summary>What the text of the message says to the scripted upstreams.</summary>
    public string Marker => string.Create(CultureInfo.InvariantCulture, $"[[{Wanted} {Trouble} {Answer}]]");

    public string Model => Wanted switch
    {
        Anthropic => "claude-sonnet-5-5",
        Zai => "claude-haiku-4-5",
        _ => "claude-opus-5-5",
    };

    /// <summary>As routed.</summary>
    public string Fallback => Wanted switch
    {
        Anthropic => House,
        Zai => Anthropic,
        _ => Zai,
    };

    public bool IsStream => Answer != FinalAnswer.BadRequest && (Answer == FinalAnswer.Cut || Form != ClientForm.ApiKey);

    /// <summary>Read back by an upstream.</summary>
    public static (string Wanted, LaneTrouble Trouble, FinalAnswer Answer) Read(string body)
    {
        var from = body.IndexOf("[[", StringComparison.Ordinal) + 2;
        var words = body[from..body.IndexOf("]]", from, StringComparison.Ordinal)].Split(' ');
        return (words[0], Enum.Parse<LaneTrouble>(words[1]), Enum.Parse<FinalAnswer>(words[2]));
    }

    /// <summary>What a lane answers.</summary>
    /// <param name="takesApiKey">False: the key must come as a bearer.</param>
    public static int StatusOf(string lane, string wanted, LaneTrouble trouble, FinalAnswer answer, bool cameAsApiKey, bool takesApiKey) =>
        lane == wanted && trouble is LaneTrouble.Failed or LaneTrouble.Overloaded or LaneTrouble.OverQuota ? (int)trouble
        : answer == FinalAnswer.KeyRefused || (cameAsApiKey && !takesApiKey) ? 401
        : answer == FinalAnswer.BadRequest ? 400
        : 200;
}

/// <summary>How a client shows its token.</summary>
internal enum ClientForm
{
    Bearer,
    ApiKey,
    AuthToken,

    /// <summary>The token as a bearer, and a key of the client's own as x-api-key: only the first may count, and neither may pass.</summary>
    Two,

    /// <summary>The token in a header of its own, beside a login to the provider.</summary>
    CcpToken,

    /// <summary>A user whose own key for the default lane lies encrypted in the store.</summary>
    OwnKey,
}

internal enum LaneTrouble
{
    None = 0,
    NotConnected = 1,
    OverQuota = 429,
    Failed = 500,
    Overloaded = 529,
}

internal enum FinalAnswer
{
    Served,
    KeyRefused,
    BadRequest,
    Cut,
}
