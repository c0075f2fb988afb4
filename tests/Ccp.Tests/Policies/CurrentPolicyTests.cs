using System.Text;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Licensing;
using Ccp.Policies;
using Ccp.ScriptedUpstream;
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

    /// <summary>Goal: no moment at which a policy is looked at leaves it in force for ever. Method: it expires just after it was judged, while the look goes on.</summary>
    [Theory]
    [InlineData(0.2)]
    [InlineData(1.5)]
    [InlineData(5)]
    public async Task A_policy_that_expires_while_it_is_looked_at_ends_all_the_same(double lookTakesMs)
    {
        Publish(First);
        var passing = new PassingClock(_clock);
        using var policy = Open(time: passing);
        await policy.RefreshAsync();
        _clock.JumpTo(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero) - TimeSpan.FromMilliseconds(0.1));
        passing.AfterEachLook = TimeSpan.FromMilliseconds(lookTakesMs);

        policy.Look();
        Assert.Equal(2, _routes.Count);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(_routes);
    }

    [Theory]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    [InlineData("")]
    [InlineData(null)]
    public async Task Certificate_authorities_that_cannot_be_read_are_tried_again(string? junk)
    {
        Publish(First);
        using var tls = UpstreamTls.Create();
        await using var publisher = TlsFolder.Serve(_folder.Path, tls.Certificate);
        if (junk is not null)
        {
            File.WriteAllText(_folder["roots.pem"], junk);
        }

        var url = new Uri(publisher.Address, "policy.json").AbsoluteUri;
        using var policy = Open(url, TrustedRoots.Find(null, _folder["roots.pem"], null));
        await policy.RefreshAsync();
        Assert.StartsWith($"none: none was fetched yet. The newest was not taken: {url} cannot be read: the trusted certificate authorities cannot be read: ", policy.Summary, StringComparison.Ordinal);
        Assert.Contains(_folder["roots.pem"], Assert.Single(_log.All), StringComparison.Ordinal);
        Assert.True(_clock.HasTimerDueIn(TimeSpan.FromMinutes(1)));

        File.WriteAllText(_folder["roots.pem"], tls.AuthorityPem);
        await policy.RefreshAsync();
        Assert.True(policy.IsInForce, policy.Summary);
        Assert.Equal(2, _routes.Count);
    }

    [Fact]
    public async Task Whatever_goes_wrong_it_is_fetched_again_and_what_went_wrong_is_said()
    {
        Publish(First);
        using var policy = Open(take: _ => throw new InvalidOperationException("unforeseen"));

        await Assert.ThrowsAsync<InvalidOperationException>(policy.RefreshAsync);
        Assert.True(_clock.HasTimerDueIn(TimeSpan.FromMinutes(1)));
        Assert.Contains(_log.All, line => line.Contains("The policy stays as it was: ccp failed", StringComparison.Ordinal));
    }

    /// <summary>Whoever can change what is published but cannot sign may only put back what was signed once.</summary>
    [Fact]
    public async Task An_older_policy_does_not_replace_a_newer_one_here_or_at_the_next_start()
    {
        Publish(Second);
        using (var policy = Open())
        {
            await policy.RefreshAsync();
            Publish(First);
            await policy.RefreshAsync();
            Assert.Equal("claude-opus-*", Assert.Single(_routes).Pattern);
            Assert.StartsWith("second until 2026-12-23 12:00:00 UTC. The newest was not taken: it ends on 2026-11-23 12:00:00 UTC, before the one in force, ", policy.Summary, StringComparison.Ordinal);
        }

        using (var again = Open())
        {
            await again.RefreshAsync();
            Assert.False(again.IsInForce);
            Assert.Equal("claude-opus-*", Assert.Single(_routes).Pattern);
        }

        // The operator's way out.
        File.Delete(Cache);
        using var anew = Open();
        await anew.RefreshAsync();
        Assert.True(anew.IsInForce);
        Assert.StartsWith("first until", anew.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_ends_with_the_one_in_force_replaces_it_and_so_does_any_when_that_has_ended()
    {
        Publish(First);
        using var policy = Open();
        await policy.RefreshAsync();
        Publish(First.Replace("first", "same end", StringComparison.Ordinal));
        await policy.RefreshAsync();
        Assert.StartsWith("same end until", policy.Summary, StringComparison.Ordinal);

        _clock.Advance(TimeSpan.FromDays(1));
        Publish(Second);
        await policy.RefreshAsync();
        Assert.Equal("second until 2026-12-23 12:00:00 UTC", policy.Summary);
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

    private CurrentPolicy Open(string? source = null, TrustedRoots? roots = null, Action<IReadOnlyList<RouteConfig>>? take = null, TimeProvider? time = null) => new(
        new PolicyConfig(source ?? Source, [Ed25519.PublicKeyOf(Seed)], TimeSpan.FromMinutes(15)),
        new PolicyFetch(source ?? Source, proxy: null, roots ?? TrustedRoots.Find(null, null, null), _clock),
        new PolicyCache(Cache),
        () => _lanes,
        take ?? (routes => _routes = routes),
        time ?? _clock,
        _log);

    private void Publish(string pack)
    {
        File.WriteAllText(Source, pack);
        File.WriteAllText(Source + ".sig", Convert.ToBase64String(Ed25519.Sign(Encoding.UTF8.GetBytes(pack), Seed)) + "\n");
    }

    /// <summary>Time goes on whenever somebody looks what time it is.</summary>
    private sealed class PassingClock(ManualClock clock) : TimeProvider
    {
        public TimeSpan AfterEachLook { get; set; }

        public override DateTimeOffset GetUtcNow()
        {
            var now = clock.GetUtcNow();
            clock.JumpTo(now + AfterEachLook);
            return now;
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => clock.CreateTimer(callback, state, dueTime, period);
    }
}
