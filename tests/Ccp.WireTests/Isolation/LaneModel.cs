using System.Globalization;

namespace Ccp.WireTests.Isolation;

/// <summary>What docs/lanes.md says happens, worked out apart from ccp: which lane is asked with which header, and what the last one says.</summary>
/// <param name="mode">As configured for every lane; <c>passthrough</c> is for the default one alone, and the others then take <c>x-api-key</c>.</param>
/// <param name="takesApiKey">False: the providers take a key as a bearer only.</param>
/// <param name="gone">A lane that cannot be reached; null: none.</param>
internal sealed class LaneModel(string mode, bool takesApiKey, string? gone)
{
    private readonly Dictionary<string, string> _remembered = [];

    /// <returns>The requests that arrive, as lane and header, and the status of the last; 0: nobody could be asked.</returns>
    public (List<(string Lane, string Header)> Requests, int Status) Run(IsolationCase call)
    {
        var requests = new List<(string Lane, string Header)>();
        var status = call.Wanted == gone || !HasKey(call.Wanted, call.Form) ? 0 : Ask(call.Wanted);
        var isLeft = status is 0 or >= 500 || (status == 429 && call.Wanted != IsolationCase.Anthropic);
        return (requests, isLeft && HasKey(call.Fallback, call.Form) ? Ask(call.Fallback) : status);

        int Ask(string lane)
        {
            var header = PassesOn(lane) ? "authorization"
                : mode == "passthrough" ? "x-api-key"
                : mode != "auto" ? mode
                : _remembered.GetValueOrDefault(KeyOf(lane, call.Form), "x-api-key");
            var status = Send(lane, header);
            if (status == 401 && mode == "auto")
            {
                header = header == "x-api-key" ? "authorization" : "x-api-key";
                status = Send(lane, header);
            }

            if (status is < 500 and not 401)
            {
                _remembered[KeyOf(lane, call.Form)] = header;
            }

            return status;
        }

        int Send(string lane, string header)
        {
            requests.Add((lane, header));
            return IsolationCase.StatusOf(lane, call.Wanted, call.Trouble, call.Answer, header == "x-api-key", takesApiKey);
        }
    }

    /// <summary>Whether a lane is sent callers' own logins: what it says to one is then its owner's to see.</summary>
    public bool PassesOn(string lane) => mode == "passthrough" && lane == IsolationCase.Anthropic;

    /// <summary>What a lane is sent as its key.</summary>
    public string KeyOf(string lane, ClientForm form) => PassesOn(lane) ? Parties.Login : Parties.KeyOf(lane, form);

    /// <summary>Every header that arrives, sorted, and nothing else.</summary>
    public List<string> HeadersOf(IsolationCase call, string lane, string header, string host, int bodyBytes)
    {
        var key = KeyOf(lane, call.Form);
        IEnumerable<(string Name, string Value)> headers =
        [
            .. Parties.ForEveryLane,
            .. lane == IsolationCase.Anthropic ? Parties.ForAnthropic : [],
            .. lane == IsolationCase.House ? Parties.ForHouse : [],
            (header, header == "authorization" ? $"Bearer {key}" : key),
            ("accept-encoding", "identity"),
            ("content-type", "application/json"),
            ("content-length", bodyBytes.ToString(CultureInfo.InvariantCulture)),
            ("host", host),
        ];
        return Sorted(headers);
    }

    public static List<string> Sorted(IEnumerable<(string Name, string Value)> headers) =>
        [.. headers.Select(each => $"{each.Name.ToLowerInvariant()}: {each.Value}").Order(StringComparer.Ordinal)];

    /// <summary>The names of every header that reaches the client, sorted.</summary>
    public List<string> AnswerHeaders(IsolationCase call, int status, string lastLane)
    {
        string[] names = status == 401 && !PassesOn(lastLane)
            ? ["content-length", "content-type", "request-id", "x-ccp-request-id", "x-should-retry", "date"]
            : ["content-type", "request-id", "x-ccp-request-id", "x-made-up-tomorrow", "date", status == 200 ? "transfer-encoding" : "content-length"];

        // The limits of a user's own key, or login, are that user's to see, and a login that is repeated goes to its owner.
        var isOwn = PassesOn(lastLane) || (status != 401 && lastLane == IsolationCase.Anthropic && call.Form == ClientForm.OwnKey);
        return [.. names.Concat(isOwn ? new[] { "anthropic-ratelimit-requests-remaining" } : []).Concat(PassesOn(lastLane) ? new[] { "x-echo" } : []).Order(StringComparer.Ordinal)];
    }

    /// <summary>Only a token in a header of its own leaves the other for a login.</summary>
    private bool HasKey(string lane, ClientForm form) => !PassesOn(lane) || form == ClientForm.CcpToken;
}
