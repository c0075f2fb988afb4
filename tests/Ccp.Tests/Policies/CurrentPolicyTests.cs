using System.Text;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Licensing;
using Ccp.Policies;
using Ccp.Tests.Licenses;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Policies;

public sealed class CurrentPolicyTests : IDisposable
{
    private const string First = """{"version":"first","expiresAt":"2026-11-23T12:00:00Z","routing":[{"pattern":"claude-haiku-*","lane":"zai"},{"pattern":"*","lane":"anth"}]}""";
    private const string Second = """{"version":"second","expiresAt":"2026-12-23T12:00:00Z","routing":[{"pattern":"claude-opus-*","lane":"zai"}]}""";

    private static readonly byte[] Seed = [.. Enumerable.Range(1, 32).Select(number => (byte)(number * 3))];

    private readonly TempFolder _folder = new();
    private readonly ManualClock _clock = new();
    private readonly LogLines _log = new();
    private readonly List<string> _lanes = ["anthropic", "zai"];
    private IReadOnlyList<RouteConfig> _routes = [];

    private string Source => _folder["policy.json"];

    private string Cache => _folder["policy.cache"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_policy_is_fetched_taken_and_kept_for_a_start_without_its_publisher()
    {
        Publish(First);
        using (var policy = Open())
        {
            Assert.Empty(_routes);
            await policy.RefreshAsync();
            Assert.Equal([new RouteConfig("claude-haiku-*", "zai", "anthropic", false), new RouteConfig("*", "anthropic", null, false)], _routes);
            Assert.Equal("first until 2026-11-23 12:00:00 UTC", policy.Summary);
        }

        File.Delete(Source);
        _routes = [];
        using var again = Open();
        Assert.Equal(2, _routes.Count);
        await again.RefreshAsync();
        Assert.Equal(2, _routes.Count);
        Assert.StartsWith("first until 2026-11-23 12:00:00 UTC. The newest was not taken: ", again.Summary, StringComparison.Ordinal);
        Assert.False(again.IsInForce);
    }

    [Fact]
    public async Task It_is_fetched_again_as_often_as_the_operator_wants_and_sooner_after_a_failure()
    {
        Publish(First);
        using var policy = Open();
        policy.Begin();
        _clock.Advance(TimeSpan.Zero);
        await Waiting.UntilAsync(() => policy.IsInForce && _clock.HasTimerDueIn(TimeSpan.FromMinutes(15)));

        Publish(Second);
        _clock.Advance(TimeSpan.FromMinutes(15));
        await Waiting.UntilAsync(() => policy.Summary.StartsWith("second", StringComparison.Ordinal) && _clock.HasTimerDueIn(TimeSpan.FromMinutes(15)));

        File.Delete(Source);
        _clock.Advance(TimeSpan.FromMinutes(15));
        await Waiting.UntilAsync(() => _clock.HasTimerDueIn(TimeSpan.FromMinutes(1)));
        Assert.Equal("claude-opus-*", Assert.Single(_routes).Pattern);
    }

    [Theory]
    [InlineData("signature")]
    [InlineData("expired")]
    [InlineData("malformed")]
    [InlineData("lane")]
    [InlineData("long")]
    [InlineData("unsigned")]
    public async Task What_is_not_good_leaves_the_last_good_one_in_force_here_and_at_the_next_start(string flaw)
    {
        Publish(First);
        using (var policy = Open())
        {
            await policy.RefreshAsync();
            switch (flaw)
            {
                case "signature":
                    File.WriteAllText(Source, Second);
                    break;
                case "expired":
                    Publish(Second.Replace("2026-12-23", "2026-11-22", StringComparison.Ordinal));
                    break;
                case "malformed":
                    Publish("[]");
                    break;
                case "lane":
                    Publish(Second.Replace("zai", "elsewhere", StringComparison.Ordinal));
                    break;
                case "long":
                    Publish(Second + new string(' ', PolicyPack.BytesMax));
                    break;
                default:
                    File.Delete(Source + ".sig");
                    break;
            }

            await policy.RefreshAsync();
            Assert.Equal(2, _routes.Count);
            Assert.StartsWith("first until", policy.Summary, StringComparison.Ordinal);
            Assert.False(policy.IsInForce);
            Assert.Single(_log.All, line => line.StartsWith("Warning: The policy stays as it was: ", StringComparison.Ordinal));
        }

        _routes = [];
        using var again = Open();
        Assert.Equal(2, _routes.Count);
    }

    /// <summary>Goal: the cache is no way in. Method: every byte of it changed, one at a time, each met by a start of its own.</summary>
    [Fact]
    public async Task A_cache_that_was_tampered_with_is_refused()
    {
        Publish(First);
        using (var policy = Open())
        {
            await policy.RefreshAsync();
        }

        var good = await File.ReadAllBytesAsync(Cache, TestContext.Current.CancellationToken);
        for (var place = 0; place < good.Length; place++)
        {
            var bad = good.ToArray();
            bad[place] ^= 1;
            await File.WriteAllBytesAsync(Cache, bad, TestContext.Current.CancellationToken);
            _routes = [new RouteConfig("untouched", "zai", null, false)];
            using var policy = Open();
            Assert.Empty(_routes);
            Assert.StartsWith("none: the last good one: its signature is not over these bytes", policy.Summary, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task When_the_policy_in_force_expires_the_built_in_route_decides_again()
    {
        Publish(First);
        using var policy = Open();
        await policy.RefreshAsync();
        _clock.Advance(TimeSpan.FromHours(24) - TimeSpan.FromTicks(1));
        Assert.Equal(2, _routes.Count);

        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Empty(_routes);
        Assert.Contains("it has expired", policy.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lane_that_goes_takes_the_policy_that_names_it_along_and_brings_it_back()
    {
        Publish(First);
        using var policy = Open();
        await policy.RefreshAsync();

        _lanes.Remove("zai");
        policy.Look();
        Assert.Empty(_routes);

        _lanes.Add("zai");
        policy.Look();
        Assert.Equal(2, _routes.Count);
    }

    [Fact]
    public async Task A_source_that_never_answers_is_given_up()
    {
        Publish(First);
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        using var policy = Open($"http://{silent.LocalEndpoint}/policy.json");
        var refresh = policy.RefreshAsync();
        await Waiting.UntilAsync(() => _clock.HasTimerDueIn(TimeSpan.FromSeconds(30)));

        _clock.Advance(TimeSpan.FromSeconds(30));
        await refresh;
        Assert.Contains("did not answer within 30 s", policy.Summary, StringComparison.Ordinal);
    }

    private CurrentPolicy Open(string? source = null) => new(
        new PolicyConfig(source ?? Source, [Ed25519.PublicKeyOf(Seed)], TimeSpan.FromMinutes(15)),
        new PolicyFetch(source ?? Source, proxy: null, TrustedRoots.Find(null, null, null), _clock),
        new PolicyCache(Cache),
        () => _lanes,
        routes => _routes = routes,
        _clock,
        _log);

    private void Publish(string pack)
    {
        File.WriteAllText(Source, pack);
        File.WriteAllText(Source + ".sig", Convert.ToBase64String(Ed25519.Sign(Encoding.UTF8.GetBytes(pack), Seed)) + "\n");
    }
}
