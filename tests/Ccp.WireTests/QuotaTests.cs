using System.Globalization;
using System.Net;
using System.Text.Json;
using Ccp.Quotas;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>A lane with a quota and one without: what goes where as the first is used up, through 429s and restarts.</summary>
public sealed class QuotaTests
{
    private const string Haiku = "claude-haiku-4-5";
    private const string Glm = "glm-4.5-air";

    /// <summary>1,100 tokens of any quota.</summary>
    private static readonly Usage Counted = new(Input: 1_000, Output: 100);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_used_up_sends_calls_to_the_fallback_also_after_a_restart(bool stream)
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 2200");

        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp, stream));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp, stream));
        Assert.Equal((2, 0), (zai.Requests.Count, anthropic.Requests.Count));
        await UsedAsync(ccp, 2_200);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp, stream));
        await ccp.StopAsync();
        await ccp.RunAsync();
        await UsedAsync(ccp, 2_200);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp, stream));
        await ccp.StopAsync();

        Assert.Equal((2, 2), (zai.Requests.Count, anthropic.Requests.Count));
        Assert.Equal(["default", "default", "quota_block", "quota_block"], Reasons(ccp));
        Assert.Equal("""[{"lane":"zai","reason":"quota_block"}]""", Decisions(ccp)[^1].GetProperty("rejected").GetRawText());
        Assert.Contains("the quota of claude-haiku-* is used up", ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_fallback_the_call_is_refused_until_the_window_has_room()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 1100", "[[route]]\nmodel = \"claude-haiku-*\"\nlane = \"zai\"");

        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        await UsedAsync(ccp, 1_100);
        using (var answer = await ccp.AskAsync(stream: false, model: Haiku))
        {
            // Five hours and a part of the window at most, less what the test has taken by now.
            var sentence = await SaidNo.AssertAsync(answer, 429, "rate_limit_error", "used up the 1100 tokens in 5h", waitMin: 4 * 3600, waitMax: (5 * 3600) + 19, shouldRetry: "false");
            Assert.Contains($"goes on in {QuotaRefusals.Shown(TimeSpan.FromSeconds(int.Parse(Header(answer, "retry-after")!, CultureInfo.InvariantCulture)))};", sentence, StringComparison.Ordinal);
        }

        // Another model is another matter.
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp, model: CcpUnderTest.Model));
        await ccp.StopAsync();
        Assert.Equal((1, 1), (zai.Requests.Count, anthropic.Requests.Count));
        Assert.Equal("quota_reached", UsageLines.Completions(ccp)[1].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_lane_that_says_429_is_left_alone_for_as_long_as_it_asks_also_after_a_restart()
    {
        var clock = new ManualClock();
        var isBusy = true;
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(request => isBusy ? Answers.RateLimited(120) : Answer(request, Glm));
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 1000000", clock: clock);

        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        await ccp.StopAsync();
        await ccp.RunAsync();
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        Assert.Equal((1, 3), (zai.Requests.Count, anthropic.Requests.Count));
        isBusy = false;
        clock.Advance(TimeSpan.FromSeconds(120));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        Assert.Equal(2, zai.Requests.Count);

        var (_, report) = await ccp.AdministerAsync(HttpMethod.Get, "/v1/usage");
        var lane = report.GetProperty("lanes").EnumerateArray().Single(one => one.GetProperty("lane").GetString() == "zai");
        Assert.Equal((1, 1), (lane.GetProperty("tooManyRequests").GetInt32(), lane.GetProperty("fallbacks").GetInt32()));
        await ccp.StopAsync();
        Assert.Equal(["default", "quota_cooldown", "quota_cooldown", "default"], Reasons(ccp));
        Assert.Equal("quota_overshoot", UsageLines.Completions(ccp)[0].GetProperty("fallback").GetString());
    }

    [Theory]
    [InlineData("hybrid", "quota_warn_attempt", 2)]
    [InlineData("run_to_cap", "default", 2)]
    [InlineData("preemptive", "quota_preemptive_warn", 1)]
    public async Task Past_the_warning_each_mode_does_as_it_says(string mode, string reason, int there)
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai, $"rolling_tokens = 2000\nwarn_at = 0.5\nreroute = \"{mode}\"");

        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        await UsedAsync(ccp, 1_100);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        await ccp.StopAsync();

        Assert.Equal(there, zai.Requests.Count);
        Assert.Equal(["default", reason], Reasons(ccp));

        // What chose the lane is said where the quota's word stands in its place.
        var warned = UsageLines.All(ccp).Last(line => line.TryGetProperty("event", out _));
        Assert.Equal(reason == "default" ? null : "default", warned.TryGetProperty("chosen_by", out var chosenBy) ? chosenBy.GetString() : null);
        Assert.Contains("55 % of the quota of claude-haiku-* is used", ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_counts_while_it_runs()
    {
        var goOn = new Gate();
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(Glm, Counted))
            .Send(SseEvents.TextStart())
            .WaitFor(goOn)
            .Send(SseEvents.BlockStop())
            .Send(SseEvents.MessageDelta(Counted))
            .Send(SseEvents.MessageStop));
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 1000");

        using var running = await ccp.AskAsync(model: Haiku);
        await UsedAsync(ccp, atLeast: 1_000, inFlight: 1);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        Assert.Single(anthropic.Requests);
        goOn.Open();
        Assert.Contains("message_stop", await running.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await UsedAsync(ccp, 1_100);
    }

    [Fact]
    public async Task A_quota_that_is_used_up_sends_calls_to_no_lane_that_nobody_named()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 1000", """
            [[lane]]
            name = "second"
            base_url = "http://127.0.0.1:9"
            key = "env:ZAI_API_KEY"
            price_as = "glm-4.5-air"
            requires = "never_granted"
            [[route]]
            model = "claude-haiku-*"
            lane = "zai"
            fallback = "second"
            """);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        await UsedAsync(ccp, 1_100);

        Assert.Equal(HttpStatusCode.TooManyRequests, await PostAsync(ccp));
        Assert.Equal((0, 1), (anthropic.Requests.Count, zai.Requests.Count));
    }

    [Fact]
    public async Task Calls_that_cost_nothing_leave_nothing_in_the_store()
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.CountTokens(7));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.RateLimited(1));
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 1000");
        for (var call = 0; call < 3; call++)
        {
            using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages/count_tokens", body: CcpUnderTest.Body(stream: false, $"{Haiku}-{call}")));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await ccp.StopAsync();
        Assert.Equal((3, 3), (zai.Requests.Count, anthropic.Requests.Count));
        Assert.Equal(0, ccp.Store.Count("lane_event"));
    }

    [Fact]
    public async Task A_429_without_a_fallback_is_told_as_it_is_and_shuts_nothing()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.RateLimited(7));
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 1000000", "[[route]]\nmodel = \"claude-haiku-*\"\nlane = \"zai\"");

        for (var call = 0; call < 2; call++)
        {
            using var answer = await ccp.AskAsync(stream: false, model: Haiku);
            Assert.Equal((HttpStatusCode.TooManyRequests, "7"), (answer.StatusCode, Header(answer, "retry-after")));
        }

        Assert.Equal(2, zai.Requests.Count);
    }

    [Theory]
    [InlineData(true, "rolling_tokens = 1000000", "cooling down: claude-haiku-*")]
    [InlineData(false, "rolling_tokens = 1100", "quota used up: claude-haiku-*")]
    [InlineData(false, "rolling_tokens = 2000\nwarn_at = 0.5\nreroute = \"preemptive\"", "past the warning: claude-haiku-*")]
    [InlineData(false, "rolling_tokens = 2000\nwarn_at = 0.5", "ready")]
    public async Task Lanes_are_shown_with_what_their_quotas_keep_away(bool isBusy, string quota, string state)
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ScriptedUpstreamServer.StartAsync(request => isBusy ? Answers.RateLimited(120) : Answer(request, Glm));
        await using var ccp = await StartAsync(anthropic, zai, quota);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        await UsedAsync(ccp, isBusy ? 0 : 1_100);

        var (_, lanes) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/lanes");
        Assert.Equal(["ready", state], lanes.GetProperty("lanes").EnumerateArray().Select(lane => lane.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task A_lane_that_fails_slowly_makes_the_first_byte_late_and_not_the_stream_long()
    {
        Assert.SkipWhen(CcpUnderTest.IsNative, "the test moves the clock");
        var clock = new ManualClock();
        var (asked, mayFail, goOn) = (new Gate(), new Gate(), new Gate());
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Script.Begin.Signal(asked).WaitFor(mayFail).Then(Answers.Error(503, "api_error", "no")));
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(Haiku, Counted))
            .WaitFor(goOn)
            .Send(SseEvents.MessageDelta(Counted))
            .Send(SseEvents.MessageStop));
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 1000000", clock: clock);

        var asking = ccp.AskAsync(model: Haiku);
        await asked.WaitAsync();
        clock.Advance(TimeSpan.FromSeconds(4));
        mayFail.Open();
        using var answer = await asking;
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1]);
        clock.Advance(TimeSpan.FromSeconds(2));
        goOn.Open();
        await body.CopyToAsync(Stream.Null);
        await ccp.StopAsync();

        var line = Assert.Single(UsageLines.Completions(ccp));
        Assert.Equal((6_000, 4_000, 2_000), (line.GetProperty("latency_ms").GetInt32(), line.GetProperty("ttft_ms").GetInt32(), line.GetProperty("stream_ms").GetInt32()));
        await ccp.RunAsync();
        var (_, report) = await ccp.AdministerAsync(HttpMethod.Get, "/v1/usage");
        var lane = report.GetProperty("lanes").EnumerateArray().Single(one => one.GetProperty("lane").GetString() == "anthropic");
        Assert.Equal((50, 4_000), (lane.GetProperty("tokensPerSecond").GetDecimal(), lane.GetProperty("ttftP50Ms").GetInt32()));
    }

    [Fact]
    public async Task The_file_s_quotas_are_taken_up_without_a_restart()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 1000000");
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        await UsedAsync(ccp, 1_100);

        var file = Path.Combine(ccp.Home, "config.toml");
        File.WriteAllText(file, File.ReadAllText(file).Replace("rolling_tokens = 1000000", "rolling_tokens = 1100", StringComparison.Ordinal));
        var (status, answer) = await ccp.AdministerAsync(HttpMethod.Post, "/v1/quotas/reload");
        Assert.True(status == 200, answer.ToString());
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        Assert.Single(anthropic.Requests);

        File.WriteAllText(file, File.ReadAllText(file).Replace("rolling_tokens = 1100", "rolling_tokens = -1", StringComparison.Ordinal));
        (status, answer) = await ccp.AdministerAsync(HttpMethod.Post, "/v1/quotas/reload");
        Assert.Equal(409, status);
        Assert.Contains("quota.rolling_tokens", answer.GetProperty("error").GetString(), StringComparison.Ordinal);
        await UsedAsync(ccp, 1_100);
    }

    [Fact]
    public async Task The_state_of_lanes_is_the_admins_to_see()
    {
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 2000");
        foreach (var (method, path) in new[] { (HttpMethod.Get, "/v1/usage"), (HttpMethod.Get, "/v1/quotas"), (HttpMethod.Post, "/v1/quotas/reload") })
        {
            using var answer = await ccp.SendAsync(ccp.Request(method, path));
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }

    [Fact]
    public async Task The_command_shows_what_is_used()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "a command is a run of the executable");
        await using var anthropic = await ServeAsync(Haiku);
        await using var zai = await ServeAsync(Glm);
        await using var ccp = await StartAsync(anthropic, zai, "rolling_tokens = 2000\nwarn_at = \"auto\"\nweekly_tokens = 1100");
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ccp));
        await UsedAsync(ccp, 1_100);

        var running = await NativeCcp.CommandAsync(ccp.Home, "status");
        await ccp.StopAsync();
        var stopped = await NativeCcp.CommandAsync(ccp.Home, "status", "--since", "7d", "--json");

        Assert.True(running.ExitCode == 0, running.Errors);
        Assert.Matches(@"(?m)^zai +claude-haiku-4-5 +1 +1000 +0 +0 +100 ", running.Output);
        Assert.Matches(@"(?m)^zai +claude-haiku-\* +5h +1100 +2000 +55\.0 +0\.8 \(auto: 0 samples, confidence 0\) ?", running.Output);
        Assert.Matches(@"(?m)^zai +claude-haiku-\* +7d +1100 +1100 +100 .*used up until \d{4}-", running.Output);
        Assert.True(stopped.ExitCode == 0, stopped.Errors);
        var quota = JsonDocument.Parse(stopped.Output).RootElement.GetProperty("quotas")[0];
        Assert.Equal((1_100, true), (quota.GetProperty("weekly").GetProperty("used").GetInt32(), quota.GetProperty("blocked").GetBoolean()));
    }

    private static Task<ScriptedUpstreamServer> ServeAsync(string model) => ScriptedUpstreamServer.StartAsync(request => Answer(request, model));

    private static Script Answer(RecordedRequest request, string model) => request.BodyText.Contains("\"stream\":true", StringComparison.Ordinal)
        ? Answers.Stream(model, ["hi"], Counted)
        : Answers.Message(model, "hi", Counted);

    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer anthropic, ScriptedUpstreamServer zai, string quota, string more = "", ManualClock? clock = null) =>
        CcpUnderTest.StartAsync(anthropic, change: setup =>
        {
            setup.Clock = clock;
            setup.Environment["ZAI_API_KEY"] = "zai-key";
            setup.More = $"""
                [[lane]]
                name = "zai"
                base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
                requires = ""
                [[quota]]
                model = "claude-haiku-*"
                lane = "zai"
                {quota}
                {more}
                """;
        });

    private static async Task<HttpStatusCode> PostAsync(CcpUnderTest ccp, bool stream = false, string model = Haiku)
    {
        using var answer = await ccp.AskAsync(stream, model);
        await answer.Content.ReadAsStringAsync();
        return answer.StatusCode;
    }

    /// <summary>The client has its answer a moment before the call is closed: waits until so much is counted.</summary>
    private static async Task UsedAsync(CcpUnderTest ccp, long atLeast, int inFlight = 0)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var (_, answer) = await ccp.AdministerAsync(HttpMethod.Get, "/v1/quotas");
            var quota = answer.GetProperty("quotas")[0];
            var used = quota.GetProperty("rolling").GetProperty("used").GetInt64();
            if (used >= atLeast && quota.GetProperty("inFlight").GetInt32() == inFlight)
            {
                Assert.True(inFlight > 0 || used == atLeast, $"{used} tokens are counted, not {atLeast}.");
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), limit.Token);
        }
    }

    private static List<JsonElement> Decisions(CcpUnderTest ccp) => [.. UsageLines.All(ccp).Where(line => line.TryGetProperty("event", out _))];

    private static IEnumerable<string?> Reasons(CcpUnderTest ccp) => Decisions(ccp).Select(line => line.GetProperty("decision_reason").GetString());

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;
}
