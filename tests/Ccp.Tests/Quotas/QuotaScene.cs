using Ccp.Pricing;
using Ccp.Quotas;
using Ccp.Refusals;
using Ccp.Routing;
using Ccp.Tests.Configuration;
using Ccp.Tests.Identity;
using Ccp.Tests.Shared;
using Ccp.Usage;

namespace Ccp.Tests.Quotas;

/// <summary>A till whose lane <c>zai</c> has a quota of 1,000 tokens in five hours, and the router over it.</summary>
internal sealed class QuotaScene : IAsyncDisposable
{
    public const string Haiku = "claude-haiku-4-5";

    private readonly string _toml;
    private int _calls;

    private QuotaScene(string toml, TillUnderTest books)
    {
        _toml = toml;
        Books = books;
    }

    public TillUnderTest Books { get; }

    public QuotaBook Quotas => Books.Till.Quotas;

    public QuotaStanding Standing => Assert.Single(Quotas.Report(Books.Clock.GetUtcNow()));

    /// <param name="more">Settings of the quota.</param>
    public static async Task<QuotaScene> BuildAsync(string more = "", string quota = "rolling_tokens = 1000")
    {
        var toml = $"[[quota]]\nmodel = 'claude-haiku-*'\nlane = 'zai'\n{quota}\n{more}";
        var books = TillUnderTest.WithConfig(toml);
        await books.AddUserAsync("alice");
        return new QuotaScene(toml, books);
    }

    public Task RestartAsync() => Books.RestartAsync(_toml);

    public string NewId() => $"req_{++_calls:x32}";

    public QuotaUse Open(string? id = null, string lane = "zai", string model = Haiku) => Quotas.Open(id ?? NewId(), lane, model, Books.Clock.GetUtcNow());

    /// <summary>A call from its beginning to its record.</summary>
    public async Task ServeAsync(long tokens, string lane = "zai", string model = Haiku, DateTimeOffset? at = null)
    {
        var id = NewId();
        var began = at ?? Books.Clock.GetUtcNow();
        var use = Quotas.Open(id, lane, model, began);
        await RecordAsync(id, tokens, lane, model, began);
        use.Close(Used(tokens));
    }

    /// <summary>Half of it input, the rest written to the cache and output; what is read from the cache does not count.</summary>
    public static TokenUsage Used(long tokens) => new(tokens - (tokens / 2), tokens / 4, 0, 1_000_000, (tokens / 2) - (tokens / 4));

    public async Task RecordAsync(string id, long tokens, string lane = "zai", string model = Haiku, DateTimeOffset? at = null, long latencyMs = 1_000, long? ttftMs = 100, bool isStream = true)
    {
        var user = Books.User("alice");
        var record = new RequestRecord(
            id, at ?? Books.Clock.GetUtcNow(), user.AccountId, user.Id, model, model, model, lane, 200, "streaming", isStream, false, Used(tokens), 0,
            NanoUsd.Zero, NanoUsd.Zero, null, null, null, TimeSpan.FromMilliseconds(latencyMs), ttftMs is { } first ? TimeSpan.FromMilliseconds(first) : null, "{}");
        await Books.Till.Writes.WriteAsync(database =>
        {
            record.Insert(database);
            return true;
        });
    }

    /// <summary>Until everything queued so far is on disk.</summary>
    public async Task WrittenAsync() => await Books.Till.Writes.WriteAsync(_ => true);

    /// <summary>Where a haiku goes now: <c>lane/reason</c>, or <c>429</c>.</summary>
    public string Goes(bool hasFallback = true) => Decide(hasFallback).Allows(out var plan, out var refusal)
        ? $"{plan.Lane.Name}/{plan.Reason}"
        : refusal.Code == RefusalCode.QuotaReached ? "429" : refusal.Code.ToString();

    /// <param name="down">A lane that is left alone for another second.</param>
    public Decision<LanePlan> Decide(bool hasFallback = true, string more = "", bool isCharged = true, string? down = null)
    {
        var route = $"[[route]]\nmodel = 'claude-haiku-*'\nlane = 'zai'\n{(hasFallback ? "fallback = 'anthropic'" : "")}\n{more}";
        var config = Configured.Good(route, new() { ["DEFAULT_ANTHROPIC_API_KEY"] = "one", ["ZAI_API_KEY"] = "two" });
        var now = Books.Clock.GetUtcNow();
        var state = RoutingState.Plain with { Features = new HashSet<string> { "zai_offload" }, Quotas = Quotas.At(now) };
        if (down is not null)
        {
            state = state with { LanesDown = new Dictionary<string, LaneOutage> { [down] = new(TimeSpan.FromSeconds(1), IsLong: false) } };
        }

        var facts = new RequestFacts(Haiku, IsStream: true, MaxTokens: 1_000, EstimatedPromptTokens: 10_000, SessionId: null);
        return new Router(config, PriceBook.BuiltIn).Plan(AccessTokenTests.Someone(1, "alice", "token"), facts, isCharged, now, state);
    }

    public ValueTask DisposeAsync() => Books.DisposeAsync();
}
