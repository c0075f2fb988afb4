using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>A lane that fails again and again is left alone for a while: without dialling, with a word when it is worth asking again, and no longer than it fails.</summary>
public sealed class LaneHealthTests
{
    private const string Haiku = "claude-haiku-4-5";
    private const int FailuresMax = FailingLane.FailuresMax;

    /// <summary>How long the lane is left alone: longer than a busy machine takes for a call.</summary>
    private const int PauseSeconds = 32;

    private static readonly Usage Small = new(Input: 25, Output: 15);

    private readonly ManualClock _clock = new();

    [Fact]
    public async Task A_lane_that_cannot_be_reached_is_soon_not_dialled_and_a_probe_brings_it_back()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        using var door = new Door(upstream.BaseUrl);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.UpstreamUrl, setup.Clock) = (door.Address, _clock));
        await FailingLane.UntilPauseAsync(_clock, PauseSeconds, async () =>
        {
            using var failed = await ccp.AskAsync();
            await SaidNo.AssertAsync(failed, 503, "api_error", "cannot reach the anthropic lane", retryAfter: 5);
        });

        // Whoever dialled now would get through.
        door.Open();
        using var refused = await ccp.AskAsync();
        await SaidNo.AssertAsync(refused, 503, "api_error", "ccp leaves it alone and tries again in", waitMin: 1, waitMax: PauseSeconds);
        Assert.Empty(upstream.Requests);
        Assert.StartsWith("down; tried again in ", await HealthAsync(ccp), StringComparison.Ordinal);

        _clock.Advance(TimeSpan.FromSeconds(PauseSeconds));
        Assert.True(await IsServedAsync(ccp));
        Assert.True(await IsServedAsync(ccp));
        Assert.Equal("ok", await HealthAsync(ccp));
        await ccp.StopAsync();

        Assert.Contains("Lane anthropic failed 5 times in a row", ccp.Log, StringComparison.Ordinal);
        Assert.Contains("Lane anthropic answers again", ccp.Log, StringComparison.Ordinal);
        Assert.Contains(UsageLines.Completions(ccp), line => line.GetProperty("reason").GetString() == "lane_down_briefly");
        Assert.Equal(2, ccp.Store.Charges.Count);
        Assert.Empty(ccp.Store.OpenHolds);
    }

    [Fact]
    public async Task What_a_lane_that_is_down_cannot_take_goes_to_its_fallback_at_once()
    {
        var isWell = false;
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(Haiku, ["hi"], Small));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Volatile.Read(ref isWell) ? Answers.Stream("glm-4.5-air", ["hi"], Small) : Answers.Overloaded());
        await using var ccp = await CcpUnderTest.StartAsync(anthropic, change: setup =>
        {
            setup.Clock = _clock;
            setup.Environment["ZAI_API_KEY"] = "zai-key-that-must-stay-inside";
            setup.More = $"[[lane]]\nname = \"zai\"\nbase_url = \"{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}\"\nrequires = \"\"";
        });
        var tried = await FailingLane.UntilPauseAsync(_clock, PauseSeconds, async () => Assert.True(await IsServedAsync(ccp, Haiku)));

        Assert.True(await IsServedAsync(ccp, Haiku));
        Assert.Equal((tried, tried + 1), (zai.Requests.Count, anthropic.Requests.Count));

        Volatile.Write(ref isWell, true);
        _clock.Advance(TimeSpan.FromSeconds(PauseSeconds));
        Assert.True(await IsServedAsync(ccp, Haiku));
        Assert.True(await IsServedAsync(ccp, Haiku));
        Assert.Equal((tried + 2, tried + 1), (zai.Requests.Count, anthropic.Requests.Count));
        await ccp.StopAsync();

        var decisions = UsageLines.All(ccp).Where(line => line.TryGetProperty("event", out _)).ToList();
        Assert.Equal([.. Enumerable.Repeat(("zai", "default"), tried), ("anthropic", "lane_down"), ("zai", "default"), ("zai", "default")], decisions.Select(Decision));
        var away = decisions[tried];
        Assert.Equal("""[{"lane":"zai","reason":"lane_down"}]""", away.GetProperty("rejected").GetRawText());
        var taken = UsageLines.Completions(ccp).Single(line => line.GetProperty("rid").GetString() == away.GetProperty("rid").GetString());
        Assert.Equal(("anthropic", 0), (taken.GetProperty("lane").GetString(), taken.GetProperty("retry").GetInt32()));
        Assert.Empty(ccp.Store.OpenHolds);
    }

    [Fact]
    public async Task A_lane_that_is_elsewhere_after_a_reload_is_tried_at_once()
    {
        await using var broken = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var mended = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(broken, change: setup => setup.Clock = _clock);
        await FailingLane.UntilPauseAsync(ccp, _clock, PauseSeconds);

        ccp.Setup.UpstreamUrl = mended.BaseUrl;
        ccp.RewriteConfig();
        var (status, outcome) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/reload");
        Assert.True(status == 200, outcome.ToString());

        Assert.True(await IsServedAsync(ccp));
        Assert.Single(mended.Requests);
    }

    [Fact]
    public async Task A_lane_that_takes_calls_and_never_answers_is_soon_left_alone()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Script.Stall());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = _clock);
        var tried = await FailingLane.UntilPauseAsync(_clock, PauseSeconds, async () =>
        {
            var call = ccp.AskAsync();
            await upstream.NextAsync();
            _clock.Advance(TimeSpan.FromSeconds(120));
            using var answer = await call;
            await SaidNo.AssertAsync(answer, 503, "api_error", "did not begin to answer", retryAfter: 5);
        });

        using var refused = await ccp.AskAsync();
        await SaidNo.AssertAsync(refused, 503, "api_error", "leaves it alone", waitMin: 1, waitMax: PauseSeconds);
        Assert.Equal(tried, upstream.Requests.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_lane_that_takes_connections_and_drops_each_call_or_speaks_no_HTTP_is_soon_left_alone(bool speaks)
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(Haiku, ["hi"], Small));
        await using var dropping = await ScriptedUpstreamServer.StartAsync(_ => Script.Begin.Cut());
        await using var speaking = await RawUpstream.StartAsync("SSH-2.0-OpenSSH_9.2\r\n\r\n");
        await using var ccp = await CcpUnderTest.StartAsync(anthropic, change: setup =>
        {
            setup.Clock = _clock;
            setup.Environment["ZAI_API_KEY"] = "zai-key-that-must-stay-inside";
            setup.More = $"[[lane]]\nname = \"zai\"\nbase_url = \"{(speaks ? speaking.BaseUrl : dropping.BaseUrl).AbsoluteUri.TrimEnd('/')}\"\nrequires = \"\"";
        });

        // Each of them may have been worked on: none is sent anywhere else.
        await FailingLane.UntilPauseAsync(_clock, PauseSeconds, async () =>
        {
            using var failed = await ccp.AskAsync(model: Haiku);
            await SaidNo.AssertAsync(failed, 503, "api_error", "cannot reach the zai lane", retryAfter: 5);
        });
        Assert.Empty(anthropic.Requests);

        var tried = dropping.Requests.Count;
        Assert.True(await IsServedAsync(ccp, Haiku));
        Assert.Equal((tried, 1), (dropping.Requests.Count, anthropic.Requests.Count));
    }

    [Fact]
    public async Task What_costs_nothing_leaves_a_lane_that_is_down_alone_and_keeps_nobody_from_finding_out_how_it_is()
    {
        var isWell = false;
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
            request.Path.EndsWith("count_tokens", StringComparison.Ordinal) ? Answers.CountTokens(7)
            : Volatile.Read(ref isWell) ? Answers.Stream(CcpUnderTest.Model, ["hi"], Small)
            : Answers.Overloaded());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = _clock);
        var tried = await FailingLane.UntilPauseAsync(ccp, _clock, PauseSeconds);
        _clock.Advance(TimeSpan.FromSeconds(PauseSeconds));

        for (var count = 0; count < 30; count++)
        {
            using var refused = await CountAsync(ccp);
            await SaidNo.AssertAsync(refused, 503, "api_error", "leaves it alone", waitMin: 1, waitMax: PauseSeconds);
        }

        Assert.Equal(tried, upstream.Requests.Count);
        Volatile.Write(ref isWell, true);
        Assert.True(await IsServedAsync(ccp));
        using var counted = await CountAsync(ccp);
        Assert.Equal(HttpStatusCode.OK, counted.StatusCode);
    }

    [Fact]
    public async Task Token_counts_that_fail_shut_no_lane_that_serves_messages()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request =>
            request.Path.EndsWith("count_tokens", StringComparison.Ordinal) ? Script.Begin.Cut() : Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = _clock);
        for (var count = 0; count < 2 * FailuresMax; count++)
        {
            using var refused = await CountAsync(ccp);
            await SaidNo.AssertAsync(refused, 503, "api_error", "cannot reach", retryAfter: 5);
        }

        Assert.True(await IsServedAsync(ccp));
    }

    [Fact]
    public async Task A_call_whose_client_leaves_before_the_answer_says_nothing_of_the_lane()
    {
        // A busy machine sees late that a client has left: the lane must not have run out of time by then.
        await using var upstream = await ScriptedUpstreamServer.StartAsync(request => request.Method == "POST" ? Script.Stall() : Answers.NotFound(""));
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => (setup.Clock, setup.Lane) = (_clock, """first_byte_timeout = "1d" """));
        for (var call = 0; call < 2 * FailuresMax; call++)
        {
            using var leaving = new CancellationTokenSource();
            var asked = ccp.AskAsync(cancellation: leaving.Token);
            var arrived = await upstream.NextAsync();
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
            while (!arrived.Aborted.IsCompleted)
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
                await Task.WhenAny(arrived.Aborted, Task.Delay(1));
            }
        }

        Assert.Equal("ok", await HealthAsync(ccp));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(429)]
    public async Task What_is_no_failure_of_the_lane_never_closes_it(int status)
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Error(status, "invalid_request_error", "no"));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        for (var call = 0; call < 3 * FailuresMax; call++)
        {
            using var answer = await ccp.AskAsync();
            Assert.Equal(status == 401 ? 503 : status, (int)answer.StatusCode);
        }

        Assert.Equal(3 * FailuresMax, upstream.Requests.Count);
        Assert.Equal("ok", await HealthAsync(ccp));
    }

    [Fact]
    public async Task A_success_among_failures_keeps_the_lane_open_to_all()
    {
        var asked = 0;
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ =>
            Interlocked.Increment(ref asked) % FailuresMax == 0 ? Answers.Stream(CcpUnderTest.Model, ["hi"], Small) : Answers.Error(500, "api_error", "no"));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        for (var call = 0; call < 4 * FailuresMax; call++)
        {
            using var answer = await ccp.AskAsync();
            await answer.Content.ReadAsStringAsync();
        }

        Assert.Equal(4 * FailuresMax, upstream.Requests.Count);
    }

    [Fact]
    public async Task While_a_probe_is_out_the_others_are_refused()
    {
        var answerNow = new Gate();
        var isWell = false;
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ =>
            Volatile.Read(ref isWell) ? Script.Begin.WaitFor(answerNow).Then(Answers.Stream(CcpUnderTest.Model, ["hi"], Small)) : Answers.Overloaded());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Clock = _clock);
        for (var tried = await FailingLane.UntilPauseAsync(ccp, _clock, PauseSeconds); tried > 0; tried--)
        {
            await upstream.NextAsync();
        }

        Volatile.Write(ref isWell, true);
        _clock.Advance(TimeSpan.FromSeconds(PauseSeconds));
        var probe = ccp.AskAsync();
        await upstream.NextAsync();
        using var other = await ccp.AskAsync();
        await SaidNo.AssertAsync(other, 503, "api_error", "leaves it alone", waitMin: 1, waitMax: PauseSeconds);

        answerNow.Open();
        using var answer = await probe;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsStringAsync();
        using var after = await ccp.AskAsync();
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        await after.Content.ReadAsStringAsync();
    }

    private static (string, string) Decision(JsonElement line) => (line.GetProperty("decision").GetString()!, line.GetProperty("decision_reason").GetString()!);

    private static async Task<string?> HealthAsync(CcpUnderTest ccp)
    {
        var (status, json) = await ccp.AdministerAsync(HttpMethod.Get, "/readyz");
        Assert.Equal(200, status);
        return json.GetProperty("circuits").GetProperty("anthropic").GetString();
    }

    private static Task<HttpResponseMessage> CountAsync(CcpUnderTest ccp) => ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages/count_tokens?beta=true", body: CcpUnderTest.Body()));

    private static async Task<bool> IsServedAsync(CcpUnderTest ccp, string model = CcpUnderTest.Model)
    {
        using var answer = await ccp.AskAsync(model: model);
        await answer.Content.ReadAsStringAsync();
        return answer.StatusCode == HttpStatusCode.OK;
    }

    /// <summary>An address that refuses connections until it is opened, and then leads to an upstream.</summary>
    private sealed class Door : IDisposable
    {
        private readonly Uri _behind;
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly CancellationTokenSource _ending = new();

        public Door(Uri behind)
        {
            // Bound, so that nobody else gets the port, but not listening.
            _behind = behind;
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            Address = new Uri($"http://{_listener.LocalEndPoint}");
        }

        public Uri Address { get; }

        public void Open()
        {
            _listener.Listen();
            _ = AcceptAsync();
        }

        public void Dispose()
        {
            _ending.Cancel();
            _listener.Dispose();
            _ending.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = CarryAsync(await _listener.AcceptAsync(_ending.Token));
                }
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // The test is over.
            }
        }

        private async Task CarryAsync(Socket from)
        {
            try
            {
                using var near = new NetworkStream(from, ownsSocket: true);
                using var to = new TcpClient();
                await to.ConnectAsync(IPAddress.Loopback, _behind.Port, _ending.Token);
                await Task.WhenAny(near.CopyToAsync(to.GetStream(), _ending.Token), to.GetStream().CopyToAsync(near, _ending.Token));
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or SocketException)
            {
                // Either end has left.
            }
        }
    }
}
