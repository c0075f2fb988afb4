using System.Text.Json;
using Ccp.Routing;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Admin;

public sealed class LanesTests
{
    [Fact]
    public async Task Lanes_are_shown_without_their_keys()
    {
        await using var till = TillUnderTest.WithConfig("[[lane]]\nname = 'house'\nbase_url = 'https://house.invalid/v2/'\nkey = 'env:HOUSE_KEY'\nheader = 'authorization'\nrequires = 'gold'");

        var answer = await till.AskAsync("GET", "/admin/lanes");

        Assert.Equal(200, answer.Status);
        Assert.Equal(
            """
            {"paused":false,"lanes":[{"name":"anthropic","address":"api.anthropic.com","header":"x-api-key","hasKey":false,"paused":false,"state":"for users with a key of their own"},{"name":"zai","address":"api.z.ai/api/anthropic","header":"auto","hasKey":false,"requires":"zai_offload","paused":false,"state":"no key"},{"name":"house","address":"house.invalid/v2","header":"authorization","hasKey":false,"requires":"gold","paused":false,"state":"no key"}]}
            """.Trim(),
            answer.Text);
    }

    [Fact]
    public async Task A_pause_counts_at_once_and_stands_through_a_restart_until_it_is_ended()
    {
        await using var till = TillUnderTest.WithConfig();
        var paused = await till.AskAsync("POST", "/admin/lanes/pause");
        Assert.Equal((200, true, "ccp pause"), (paused.Status, paused.Json.GetProperty("paused").GetBoolean(), paused.Json.GetProperty("pausedBy").GetString()));
        Assert.Equal(["for users with a key of their own", "paused"], paused.Json.GetProperty("lanes").EnumerateArray().Select(lane => lane.GetProperty("state").GetString()));
        Assert.True(IsPaused(till));

        await till.RestartAsync();
        Assert.True(IsPaused(till));
        Assert.True((await till.AskAsync("GET", "/admin/lanes")).Json.GetProperty("paused").GetBoolean());

        Assert.False((await till.AskAsync("POST", "/admin/lanes/resume")).Json.GetProperty("paused").GetBoolean());
        Assert.False(IsPaused(till));
        await till.RestartAsync();
        Assert.False(IsPaused(till));
        Assert.Equal(200, (await till.AskAsync("POST", "/admin/lanes/resume")).Status);
    }

    [Fact]
    public async Task A_resume_does_not_overrule_the_configuration_and_says_so()
    {
        await using var till = TillUnderTest.WithConfig("paused = true");
        await till.AskAsync("POST", "/admin/lanes/pause");

        var refused = await till.AskAsync("POST", "/admin/lanes/resume");

        Assert.Equal(409, refused.Status);
        Assert.Contains("stay paused: paused in the configuration says so", refused.Error, StringComparison.Ordinal);
        Assert.False(IsPaused(till));
    }

    [Fact]
    public async Task A_switch_that_cannot_be_written_down_is_not_thrown()
    {
        await using var till = TillUnderTest.WithConfig();
        Directory.CreateDirectory(Path.Combine(till.Home, "paused", "in the way"));

        Assert.Equal(503, (await till.AskAsync("POST", "/admin/lanes/pause")).Status);
        Assert.False(IsPaused(till));
    }

    [Fact]
    public async Task A_reload_takes_up_lanes_and_says_what_it_did_not()
    {
        await using var till = TillUnderTest.WithConfig();
        till.FileText = "paused = true\n[server]\ndrain = '1s'";
        var done = await till.AskAsync("POST", "/admin/reload");
        Assert.Equal("""{"ok":true,"problems":[],"warnings":[],"needRestart":["server.drain"]}""", done.Text);
        Assert.True((await till.AskAsync("GET", "/admin/lanes")).Json.GetProperty("paused").GetBoolean());
        Assert.Contains("server.drain", (await till.AskAsync("GET", "/readyz")).Json.GetProperty("configuration").GetString(), StringComparison.Ordinal);

        till.FileText = "paused = 7";
        var refused = await till.AskAsync("POST", "/admin/reload");
        Assert.Equal((200, false, 1), (refused.Status, refused.Json.GetProperty("ok").GetBoolean(), refused.Json.GetProperty("problems").GetArrayLength()));
        Assert.StartsWith("The file has 1 problem and the configuration before it is in force. The first: config.toml:1:10: paused: expected true or false", (await till.AskAsync("GET", "/readyz")).Json.GetProperty("configuration").GetString(), StringComparison.Ordinal);
        Assert.True((await till.AskAsync("GET", "/admin/lanes")).Json.GetProperty("paused").GetBoolean());
    }

    [Theory]
    [InlineData("GET", "/admin/lanes")]
    [InlineData("POST", "/admin/lanes/pause")]
    [InlineData("POST", "/admin/lanes/resume")]
    [InlineData("POST", "/admin/reload")]
    [InlineData("GET", "/admin/doctor")]
    [InlineData("GET", "/admin/verify")]
    public async Task All_of_it_is_for_admins(string method, string path)
    {
        await using var till = TillUnderTest.WithConfig();
        var user = await till.AddUserAsync("alice");

        Assert.Equal((401, 403), ((await till.AskWithAsync(null, method, path)).Status, (await till.AskWithAsync(user, method, path)).Status));
        Assert.False(IsPaused(till));
    }

    [Fact]
    public async Task The_doctor_says_what_is_well_and_what_to_do_about_the_rest()
    {
        await using var till = TillUnderTest.WithConfig();
        var well = await till.AskAsync("GET", "/admin/doctor");
        Assert.Equal(200, well.Status);
        Assert.Equal(
            ["configuration ok", "key anthropic warning", "key zai ok", "store ok", "tls ok", "license ok", "clock ok"],
            Findings(well).Where(finding => !finding.StartsWith("disk", StringComparison.Ordinal) && !finding.Contains("problem", StringComparison.Ordinal)));

        till.FileText = "[server]\ndrain = 7\nspeed = 8";
        await till.AskAsync("POST", "/admin/lanes/pause");
        await till.AskAsync("POST", "/admin/license", JsonSerializer.Serialize(new Dictionary<string, string> { ["pack"] = IssuedLicense.Pack(till.Clock.GetUtcNow(), days: 3) }));
        _ = till.Till.Writes.MustWriteAsync(_ => throw new InvalidOperationException("broken"));
        while (till.Till.Writes.Problem is null)
        {
            await Task.Yield();
        }

        var ill = await till.AskAsync("GET", "/admin/doctor");
        Assert.False(ill.Json.GetProperty("ok").GetBoolean());
        var found = Findings(ill).ToList();
        Assert.Equal(2, found.Count(finding => finding == "configuration problem"));
        Assert.Contains("lanes warning", found);
        Assert.Contains("store problem", found);
        Assert.Contains("license warning", found);
        Assert.Contains("ccp resume", ill.Text, StringComparison.Ordinal);
    }

    private const string Unreachable = "base_url = 'http://127.0.0.1:1'\n";

    [Fact]
    public async Task A_lane_that_passes_logins_on_needs_no_key_and_is_asked_like_any_other()
    {
        await using var till = TillUnderTest.WithConfig($"[[lane]]\nname = 'anthropic'\nheader = 'passthrough'\n{Unreachable}");

        var lane = (await till.AskAsync("GET", "/admin/lanes")).Json.GetProperty("lanes")[0];
        Assert.Equal(("passthrough", "for callers with a login of their own"), (lane.GetProperty("header").GetString(), lane.GetProperty("state").GetString()));
        var doctor = await till.AskAsync("GET", "/admin/doctor");
        Assert.Equal(["key anthropic ok", "lane anthropic problem"], Findings(doctor).Where(finding => finding.Contains(" anthropic ", StringComparison.Ordinal)));
        Assert.Contains("own login is passed on", doctor.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("DEFAULT_ANTHROPIC_API_KEY", doctor.Text, StringComparison.Ordinal);
        Assert.Equal("anthropic", Assert.Single((await till.AskAsync("GET", "/readyz")).Json.GetProperty("lanes").EnumerateObject()).Name);
    }

    [Fact]
    public async Task A_lane_that_is_used_with_named_keys_alone_is_asked_like_any_other()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["key"], "key-of-some", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(folder["key"], UnixFileMode.UserRead);
        await using var till = TillUnderTest.WithConfig($"[[lane]]\nname = 'zai'\nrequires = ''\n{Unreachable}[[key]]\nname = 'a'\nlane = 'zai'\nvalue = 'file:{folder["key"]}'");

        Assert.Equal("for users with a key of their own", (await till.AskAsync("GET", "/admin/lanes")).Json.GetProperty("lanes")[1].GetProperty("state").GetString());
        var doctor = await till.AskAsync("GET", "/admin/doctor");
        Assert.Equal(["key zai ok", "lane zai problem"], Findings(doctor).Where(finding => finding.Contains(" zai ", StringComparison.Ordinal)));
        Assert.DoesNotContain("nothing is sent there", doctor.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_default_lane_is_asked_when_a_user_has_a_key_for_it()
    {
        await using var till = TillUnderTest.WithConfig($"[[lane]]\nname = 'anthropic'\n{Unreachable}");
        Assert.DoesNotContain("lane anthropic problem", Findings(await till.AskAsync("GET", "/admin/doctor")));

        await till.AddUserAsync("alice", ""","anthropicApiKey":"sk-ant-her-own" """);

        Assert.Contains("lane anthropic problem", Findings(await till.AskAsync("GET", "/admin/doctor")));
    }

    [Fact]
    public async Task A_lane_that_the_license_does_not_allow_is_nobody_s_problem()
    {
        var toml = $"[[lane]]\nname = 'zai'\nheader = 'passthrough'\n{Unreachable}";
        await using var till = TillUnderTest.WithConfig(toml);
        Assert.Equal(["key zai ok"], Findings(await till.AskAsync("GET", "/admin/doctor")).Where(finding => finding.Contains(" zai ", StringComparison.Ordinal)));

        await till.AskAsync("POST", "/admin/license", JsonSerializer.Serialize(new Dictionary<string, string> { ["pack"] = IssuedLicense.Pack(till.Clock.GetUtcNow(), days: 30) }));

        Assert.Contains("lane zai problem", Findings(await till.AskAsync("GET", "/admin/doctor")));
    }

    [Fact]
    public async Task The_doctor_sees_a_ledger_from_the_future()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","initialBalance":50""");
        till.Clock.JumpTo(till.Clock.GetUtcNow().AddHours(-1));

        var answer = await till.AskAsync("GET", "/admin/doctor");

        Assert.Contains("store problem", Findings(answer));
        Assert.Contains("from the future", answer.Text, StringComparison.Ordinal);
    }

    private static bool IsPaused(TillUnderTest till) => till.Board.States.At(till.Clock.GetUtcNow()) is RoutingState { IsPaused: true };

    private static IEnumerable<string> Findings(Answer answer) =>
        answer.Json.GetProperty("findings").EnumerateArray().Select(finding => $"{finding.GetProperty("topic")} {finding.GetProperty("level")}");
}
