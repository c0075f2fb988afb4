using System.Net;
using System.Text;
using Ccp.Licensing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>What changes where calls go while ccp runs: the configuration, the pause, a policy.</summary>
public sealed class SwitchboardTests
{
    private const string Haiku = "claude-haiku-4-5";
    private const string Opus = "claude-opus-5-5";
    private const string ZaiKey = "zai-key-that-must-stay-inside";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly byte[] Seed = [.. Enumerable.Range(1, 32).Select(number => (byte)(number * 5))];

    [Fact]
    public async Task A_pause_sends_the_next_call_to_the_default_lane_and_stands_through_a_restart()
    {
        await using var anthropic = await ServeAsync();
        await using var zai = await ServeAsync();
        await using var ccp = await StartAsync(anthropic, zai);

        await AskAsync(ccp, Haiku);
        Assert.Equal(200, (await ccp.AdministerAsync(HttpMethod.Post, "/admin/lanes/pause")).Status);
        await AskAsync(ccp, Haiku);
        await ccp.StopAsync();
        await ccp.RunAsync();
        await AskAsync(ccp, Haiku);
        Assert.Equal(200, (await ccp.AdministerAsync(HttpMethod.Post, "/admin/lanes/resume")).Status);
        await AskAsync(ccp, Haiku);
        await ccp.StopAsync();

        Assert.Equal((2, 2), (anthropic.Requests.Count, zai.Requests.Count));
        Assert.Equal(["default", "failover_paused", "failover_paused", "default"], Reasons(ccp));
    }

    [Theory]
    [InlineData("anthropic", "zai", 529, 0)]
    [InlineData("zai", "anthropic", 200, 1)]
    public async Task A_pause_keeps_calls_under_way_too_from_falling_back_anywhere_but_to_the_default_lane(string first, string fallback, int status, int taken)
    {
        var mayFail = new Gate();
        var slow = Script.Begin.WaitFor(mayFail).Then(Answers.Overloaded());
        await using var failing = await ScriptedUpstreamServer.StartAsync(_ => slow);
        await using var well = await ServeAsync();
        var (anthropic, zai) = first == "anthropic" ? (failing, well) : (well, failing);
        await using var ccp = await StartAsync(anthropic, zai, $"[[route]]\nmodel = \"*\"\nlane = \"{first}\"\nfallback = \"{fallback}\"");

        var call = ccp.AskAsync(stream: false, model: Haiku);
        await failing.NextAsync();
        Assert.Equal(200, (await ccp.AdministerAsync(HttpMethod.Post, "/admin/lanes/pause")).Status);
        mayFail.Open();
        using var answer = await call;

        // What the lane said is then the answer, as it would be without a fallback.
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 529, (await answer.Content.ReadAsStringAsync()).Contains("overloaded_error", StringComparison.Ordinal));
        Assert.Equal(taken, well.Requests.Count);
    }

    [Fact]
    public async Task A_reload_moves_the_next_calls_and_lets_those_in_progress_be()
    {
        var mayEnd = new Gate();
        var began = new Gate();
        await using var anthropic = await ServeAsync();
        await using var old = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(Haiku, new Usage(10, 20))).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta("old"))
            .Signal(began).WaitFor(mayEnd)
            .Send(SseEvents.BlockStop()).Send(SseEvents.MessageDelta(new Usage(10, 20))).Send(SseEvents.MessageStop));
        await using var young = await ServeAsync();
        await using var ccp = await StartAsync(anthropic, old);
        using var running = await ccp.AskAsync(stream: true, model: Haiku);
        await began.WaitAsync(TestContext.Current.CancellationToken);

        ccp.Setup.More = Zai(young, "requires = \"\"\nconnect_timeout = \"3s\"");
        ccp.RewriteConfig();
        var (status, outcome) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/reload");
        Assert.True(status == 200 && outcome.GetProperty("ok").GetBoolean(), outcome.ToString());
        await AskAsync(ccp, Haiku);

        mayEnd.Open();
        Assert.EndsWith("message_stop\"}", (await running.Content.ReadAsStringAsync()).TrimEnd(), StringComparison.Ordinal);
        Assert.Equal((0, 1, 1), (anthropic.Requests.Count, old.Requests.Count, young.Requests.Count));
    }

    [Fact]
    public async Task A_change_of_the_file_is_taken_up_by_itself_and_a_bad_one_changes_nothing()
    {
        await using var anthropic = await ServeAsync();
        await using var zai = await ServeAsync();
        await using var ccp = await StartAsync(anthropic, zai);

        var good = ccp.Setup.More;
        ccp.Setup.More = good + "\n[[route]]\nmodel = '*'\nlane = 'nowhere'\nspeed = 7";
        ccp.RewriteConfig();
        await UntilAsync(() => ccp.Log.Contains("The configuration stays as it was: ", StringComparison.Ordinal));
        await UntilAsync(() => ccp.Log.Contains("there is no such setting", StringComparison.Ordinal));
        await AskAsync(ccp, Opus);
        Assert.Single(anthropic.Requests);
        var (_, ready) = await ccp.AdministerAsync(HttpMethod.Get, "/readyz");
        Assert.Contains("2 problems", ready.GetProperty("configuration").GetString(), StringComparison.Ordinal);
        Assert.True(ready.GetProperty("ready").GetBoolean());

        ccp.Setup.More = good + "\n[[route]]\nmodel = '*'\nlane = 'zai'";
        ccp.RewriteConfig();
        await UntilAsync(() => ccp.Log.Contains("Configuration taken up: 2 lanes, 1 routes", StringComparison.Ordinal));
        await AskAsync(ccp, Opus);
        Assert.Contains(zai.Requests, request => request.Method == "POST");
    }

    [Fact]
    public async Task A_hangup_is_a_reload()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "a signal is sent to a process");
        await using var anthropic = await ServeAsync();
        await using var zai = await ServeAsync();
        await using var ccp = await StartAsync(anthropic, zai);

        await ((NativeCcp)ccp).HangUpAsync();
        await UntilAsync(() => ccp.Log.Contains("asked for by SIGHUP", StringComparison.Ordinal));
        await AskAsync(ccp, Haiku);
        Assert.Single(zai.Requests);
    }

    [Fact]
    public async Task A_policy_routes_what_the_file_leaves_open_and_the_license_decides()
    {
        const string Pack = """{"version":"wire-1","expiresAt":"2090-01-01T00:00:00Z","routing":[{"pattern":"claude-opus-*","lane":"zai"},{"pattern":"claude-sonnet-*","lane":"gold"},{"pattern":"*","lane":"anth"}]}""";
        await using var publisher = await ScriptedUpstreamServer.StartAsync(request => request.Path switch
        {
            "/team.json" => Script.Json(200, Pack),
            "/team.json.sig" => Script.Json(200, Sign(Pack)),
            _ => Answers.NotFound(request.Path),
        });
        await using var anthropic = await ServeAsync();
        await using var zai = await ServeAsync();
        await using var ccp = await StartAsync(
            anthropic,
            zai,
            $"""
            model_map = {"{"} "claude-*" = "glm-4.5-air" {"}"}
            [[lane]]
            name = "gold"
            base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
            key = "env:ZAI_API_KEY"
            requires = "gold"
            {Policy(publisher)}
            """);
        await UntilAsync(() => ccp.Log.Contains("Policy wire-1 is in force", StringComparison.Ordinal));

        await AskAsync(ccp, Opus);
        await AskAsync(ccp, Haiku);
        await AskAsync(ccp, CcpUnderTest.Model);
        var (_, ready) = await ccp.AdministerAsync(HttpMethod.Get, "/readyz");
        Assert.Equal("wire-1 until 2090-01-01 00:00:00 UTC", ready.GetProperty("policy").GetString());
        Assert.Equal("answers with 200", ready.GetProperty("lanes").GetProperty("anthropic").GetString());
        await ccp.StopAsync();

        Assert.Equal(["policy", "policy", "license_block"], Reasons(ccp));
        Assert.Equal("glm-4.5-air", Assert.Single(zai.Requests, request => request.Method == "POST").Json().GetProperty("model").GetString());
        Assert.All(publisher.Requests, request => Assert.DoesNotContain(request.Headers, header => header.Value.Contains("that-must-stay-inside", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("redirect")]
    [InlineData("unsigned")]
    [InlineData("endless")]
    [InlineData("silent")]
    public async Task A_policy_that_cannot_be_had_delays_nothing_and_changes_nothing(string flaw)
    {
        const string Pack = """{"version":"1","expiresAt":"2090-01-01T00:00:00Z","routing":[{"pattern":"*","lane":"zai"}]}""";
        await using var publisher = await ScriptedUpstreamServer.StartAsync(request => flaw switch
        {
            "redirect" when request.Path.StartsWith("/team", StringComparison.Ordinal) => Script.Head(302, ("location", "/moved" + request.Path)),
            "redirect" => Script.Json(200, request.Path.EndsWith(".sig", StringComparison.Ordinal) ? Sign(Pack) : Pack),
            "unsigned" => Script.Json(200, request.Path.EndsWith(".sig", StringComparison.Ordinal) ? Sign("x") : Pack),
            "endless" => Script.Json(200, Pack + new string(' ', 400_000)),
            _ => Script.Stall(),
        });
        await using var anthropic = await ServeAsync();
        await using var zai = await ServeAsync();
        await using var ccp = await StartAsync(anthropic, zai, Policy(publisher));

        await AskAsync(ccp, Opus);
        Assert.Single(anthropic.Requests);
        await UntilAsync(() => publisher.Requests.Count > 0);
        if (flaw != "silent")
        {
            await UntilAsync(() => ccp.Log.Contains("The policy stays as it was: ", StringComparison.Ordinal));
            Assert.DoesNotContain(publisher.Requests, request => request.Path.StartsWith("/moved", StringComparison.Ordinal));
        }

        await AskAsync(ccp, Opus);
        Assert.Equal(2, anthropic.Requests.Count);
    }

    [Fact]
    public async Task The_doctor_asks_each_lane_and_sends_nobody_a_key()
    {
        await using var anthropic = await ServeAsync();
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Overloaded());
        await using var ccp = await StartAsync(anthropic, zai);

        var (status, view) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/doctor");

        Assert.Equal(200, status);
        Assert.False(view.GetProperty("ok").GetBoolean());
        var findings = view.GetProperty("findings").EnumerateArray().ToDictionary(finding => finding.GetProperty("topic").GetString()!, finding => finding);
        Assert.Equal(("ok", "problem"), (findings["lane anthropic"].GetProperty("level").GetString(), findings["lane zai"].GetProperty("level").GetString()));
        Assert.Contains("answers with 529", findings["lane zai"].GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("ok", findings["clock"].GetProperty("level").GetString());
        foreach (var request in new[] { Assert.Single(anthropic.Requests), Assert.Single(zai.Requests) })
        {
            Assert.Equal(("OPTIONS", "/v1/messages"), (request.Method, request.Target));
            Assert.Null(request.Header("x-api-key"));
            Assert.Null(request.Header("authorization"));
        }

        Assert.DoesNotContain("that-must-stay-inside", view.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("that-must-stay-inside", (await ccp.AdministerAsync(HttpMethod.Get, "/admin/lanes")).Json.ToString(), StringComparison.Ordinal);
    }

    private static string Policy(ScriptedUpstreamServer publisher) =>
        $"""

        [policy]
        url = "{publisher.BaseUrl.AbsoluteUri.TrimEnd('/')}/team.json"
        public_key = "{Convert.ToBase64String(Ed25519.PublicKeyOf(Seed))}"
        """;

    private static string Sign(string pack) => Convert.ToBase64String(Ed25519.Sign(Encoding.UTF8.GetBytes(pack), Seed));

    private static Task<ScriptedUpstreamServer> ServeAsync() => ScriptedUpstreamServer.StartAsync(request =>
        request.Method == "POST" ? Answers.Message(request.Json().GetProperty("model").GetString()!, "hi", new Usage(10, 20)) : Script.Json(200, "{}"));

    private static string Zai(ScriptedUpstreamServer zai, string more) =>
        $"""
        [[lane]]
        name = "zai"
        base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
        {more}
        """;

    /// <summary>The second lane asks for no license, which holds for any build.</summary>
    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer anthropic, ScriptedUpstreamServer zai, string more = "") => CcpUnderTest.StartAsync(anthropic, change: setup =>
    {
        setup.Environment["ZAI_API_KEY"] = ZaiKey;
        setup.More = Zai(zai, "requires = \"\"\n" + more);
    });

    private static async Task AskAsync(CcpUnderTest ccp, string model)
    {
        using var answer = await ccp.AskAsync(stream: false, model: model);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }

    private static IEnumerable<string?> Reasons(CcpUnderTest ccp) =>
        UsageLines.All(ccp).Where(line => line.TryGetProperty("event", out _)).Select(line => line.GetProperty("decision_reason").GetString());

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Soon);
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), limit.Token);
        }
    }
}
