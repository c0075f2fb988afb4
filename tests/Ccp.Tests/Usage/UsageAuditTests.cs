using Ccp.Admin;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Ccp.Usage;

namespace Ccp.Tests.Usage;

public sealed class UsageAuditTests
{
    private const string Haiku = "claude-haiku-4-5";
    private const string Opus = "claude-opus-5-5";

    [Fact]
    public void A_log_in_which_all_is_right_has_no_findings()
    {
        var audit = Audit(
            null,
            Decision("a", 1, "anthropic", Haiku, "license_block"),
            End("a", 2, "anthropic", Haiku),
            Decision("b", 3, "zai", Haiku, "default"),
            Decision("c", 3, "anthropic", Opus, "default"),
            End("c", 4, "anthropic", Opus),
            End("b", 5, "zai", Haiku, ""","header_mode":"x-api-key" """),
            Decision("d", 6, "zai", Haiku, "default"),
            End("d", 7, "anthropic", Haiku, ""","fallback":"fallback","fallback_from":"zai" """),
            Decision("e", 8, "anthropic", Haiku, "failover_paused"),
            End("e", 9, "anthropic", Haiku),
            """{"ts":10,"rid":"refused","status":401,"reason":"token_invalid","retry":0}""",
            Decision("running", 11, "zai", Haiku, "default"));

        Assert.Empty(audit.End());
        Assert.Equal((12L, 6L, 6L, 1), (audit.Lines, audit.Decisions, audit.Completions, audit.Open));
    }

    [Theory]
    [InlineData("default")]
    [InlineData("route")]
    [InlineData("policy")]
    [InlineData("quota_warn_attempt")]
    public void A_haiku_on_the_default_lane_is_found_while_there_is_a_license_and_nothing_excuses_it(string reason)
    {
        string[] lines = [Decision("a", 1, "anthropic", Haiku, reason), End("a", 2, "anthropic", Haiku)];
        string[] licensed = [Decision("z", 0, "zai", Haiku, "default"), End("z", 1, "zai", Haiku)];
        string[] ended = [Decision("y", 1, "anthropic", Haiku, "license_block"), End("y", 1, "anthropic", Haiku)];

        Assert.Empty(Audit(null, lines).End());
        Assert.Empty(Audit(null, [.. licensed, .. ended, .. lines]).End());
        var found = Assert.Single(Audit(null, [.. licensed, .. lines]).End());
        Assert.Equal(("usage.jsonl", 4L), (found.File, found.Line));
        Assert.Contains($"a took {Haiku} to the anthropic lane while the license allows another (decision: {reason})", found.Message, StringComparison.Ordinal);
        Assert.Single(Audit(true, lines).End());
        Assert.Single(Audit(true, ended).End());
    }

    [Theory]
    [InlineData("no_credentials")]
    [InlineData("lane_dearer")]
    [InlineData("safeguards_avoided")]
    [InlineData("quota_block")]
    [InlineData("lane_down")]
    [InlineData("manual_override")]
    [InlineData("failover_paused")]
    public void A_reason_excuses_it(string reason) => Assert.Empty(Audit(true, Decision("a", 1, "anthropic", Haiku, reason), End("a", 2, "anthropic", Haiku)).End());

    [Theory]
    [InlineData("default", false)]
    [InlineData("quota_warn_attempt", false)]
    [InlineData("route", true)]
    [InlineData("policy", true)]
    public void A_haiku_that_the_built_in_route_does_not_take_needs_a_route_to_be_found(string reason, bool isFound)
    {
        const string Old = "claude-3-5-haiku-20241022";
        Assert.Equal(isFound ? 1 : 0, Audit(true, Decision("a", 1, "anthropic", Old, reason), End("a", 2, "anthropic", Old)).End().Count);
    }

    [Theory]
    [InlineData("manual_override", 0)]
    [InlineData("default", 1)]
    [InlineData("route", 1)]
    public void The_warning_of_a_quota_is_judged_by_what_chose_the_lane(string chosenBy, int found)
    {
        var decision = Decision("a", 1, "anthropic", Haiku, "quota_warn_attempt", $",\"chosen_by\":\"{chosenBy}\"");
        Assert.Equal(found, Audit(true, decision, End("a", 2, "anthropic", Haiku)).End().Count);
    }

    [Fact]
    public void A_header_of_another_lane_has_no_place_on_the_default_one()
    {
        var found = Assert.Single(Audit(null, Decision("a", 1, "anthropic", Opus, "default"), End("a", 2, "anthropic", Opus, ""","header_mode":"authorization" """)).End());

        Assert.Equal(2, found.Line);
        Assert.Contains("a has header_mode authorization on the anthropic lane", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decisions_and_ends_belong_together()
    {
        var start = Decision("first", 0, "zai", Opus, "route");
        Assert.Contains("was never decided", Message(start, End("a", 5, "anthropic", Opus)), StringComparison.Ordinal);
        Assert.Contains("ended on anthropic", Message(Decision("a", 1, "zai", Opus, "route"), End("a", 2, "anthropic", Opus)), StringComparison.Ordinal);
        Assert.Contains("is decided twice", Message(Decision("a", 1, "zai", Opus, "route"), Decision("a", 1, "zai", Opus, "route"), End("a", 2, "zai", Opus)), StringComparison.Ordinal);
        Assert.Contains("has no end", Message(Decision("a", 1, "zai", Opus, "route"), Decision("b", 7200, "zai", Opus, "route")), StringComparison.Ordinal);
        Assert.Contains("from elsewhere", Message(Decision("a", 1, "zai", Opus, "route"), End("a", 2, "anthropic", Opus, ""","fallback_from":"elsewhere" """)), StringComparison.Ordinal);
        Assert.Contains("names zai as its decision", Message(Decision("a", 1, "zai", Opus, "route").Replace("\"lane\":\"zai\"", "\"lane\":\"anthropic\"", StringComparison.Ordinal), End("a", 2, "anthropic", Opus)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_call_that_began_before_the_log_does_may_end_in_it()
    {
        Assert.Empty(Audit(null, End("old", 100, "anthropic", Opus, ""","latency_ms":1 """)).End());
        Assert.Empty(Audit(null, Decision("a", 99, "zai", Opus, "route"), End("old", 100, "anthropic", Opus, ""","latency_ms":2000 """)).End());

        // It was decided in the file that is gone, within the millisecond in which this one begins.
        Assert.Empty(Audit(null, Decision("a", 99, "zai", Opus, "route"), End("old", 100, "anthropic", Opus, ""","latency_ms":1000 """)).End());
        Assert.Single(Audit(null, Decision("a", 99, "zai", Opus, "route"), End("new", 102, "anthropic", Opus, ""","latency_ms":1000 """)).End());
    }

    [Fact]
    public void A_call_that_went_down_with_ccp_has_its_end_where_recovery_charged_it()
    {
        var start = Decision("first", 0, "zai", Opus, "route");
        var lost = Decision("a", 1, "zai", Haiku, "default");
        var late = Decision("b", 9_000, "zai", Opus, "route");
        Assert.Equal(2, Audit(null, start, lost, late).End().Count);

        // Whether it fell back before, nobody knows; nor is one missed whose decision was not yet written.
        var recovered = Audit(null, start, lost, Recovered("first", "zai", Opus), Recovered("a", "anthropic", Haiku), Recovered("early", "zai", Opus), late);
        Assert.Empty(recovered.End());
        Assert.Equal((3L, 3L, 1), (recovered.Decisions, recovered.Completions, recovered.Open));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[1]")]
    [InlineData("{\"ts\":1}")]
    [InlineData("{\"rid\":\"\\ud800\"}")]
    [InlineData("{\"rid\":\"a\"")]
    public void What_is_no_line_of_a_log_is_found(string line) => Assert.Single(Audit(null, line).End());

    [Fact]
    public async Task The_files_are_read_from_the_oldest_on_and_a_line_that_is_being_written_waits()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["usage.1.jsonl"], Decision("a", 1, "zai", Opus, "route") + "\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["usage.jsonl"], End("a", 2, "zai", Opus) + "\n" + "{\"ts\":3,\"rid\":\"b", TestContext.Current.CancellationToken);

        var verdict = UsageVerdictView.Of(UsageLogFiles.In(folder.Path), isLicensed: null);

        Assert.Equal((true, 2L, 0), (verdict.Ok, verdict.Lines, verdict.Open));
        Assert.Equal(["usage.1.jsonl", "usage.jsonl"], verdict.Files.Select(Path.GetFileName));
    }

    [Fact]
    public async Task Rotated_files_are_read_without_the_newest_and_nothing_else_is()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "usage.10.jsonl", "usage.2.jsonl", "usage.02.jsonl", "usage..jsonl", "usage.x.jsonl", "usage-1.jsonl", "usage.1.jsonl.gz" })
        {
            await File.WriteAllTextAsync(folder[name], "", TestContext.Current.CancellationToken);
        }

        Assert.Equal(["usage.10.jsonl", "usage.2.jsonl"], UsageLogFiles.In(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task The_administration_audits_the_log_of_its_server()
    {
        await using var till = TillUnderTest.WithConfig();
        var without = await till.AskAsync("GET", "/admin/verify");
        Assert.Equal(404, without.Status);
        Assert.Contains($"There is no usage log in {Path.Combine(till.Home, "logs")}", without.Error, StringComparison.Ordinal);

        Directory.CreateDirectory(Path.Combine(till.Home, "logs"));
        await File.WriteAllTextAsync(Path.Combine(till.Home, "logs", "usage.jsonl"), Decision("a", 1, "anthropic", Haiku, "default") + "\n" + End("a", 2, "anthropic", Haiku) + "\n", TestContext.Current.CancellationToken);
        Assert.True((await till.AskAsync("GET", "/admin/verify")).Json.GetProperty("ok").GetBoolean());
        Assert.False((await till.AskAsync("GET", "/admin/verify?licensed=1")).Json.GetProperty("ok").GetBoolean());
    }

    private static string Message(params string[] lines) => Assert.Single(Audit(null, lines).End()).Message;

    private static UsageAudit Audit(bool? isLicensed, params string[] lines)
    {
        var audit = new UsageAudit(isLicensed);
        for (var line = 0; line < lines.Length; line++)
        {
            audit.Read("usage.jsonl", line + 1, lines[line]);
        }

        return audit;
    }

    private static string Decision(string id, int ts, string lane, string model, string reason, string more = "") =>
        $$"""{"ts":{{ts}},"rid":"{{id}}","status":-1,"lane":"{{lane}}","model":"{{model}}","event":"decision","decision":"{{lane}}","decision_reason":"{{reason}}"{{more}}}""";

    private static string Recovered(string id, string lane, string model) =>
        $$"""{"ts":7000,"rid":"{{id}}","status":200,"lane":"{{lane}}","model":"{{model}}","reason":"crash","estimated":true,"charge_usd":0.3}""";

    private static string End(string id, int ts, string lane, string model, string more = "") =>
        $$"""{"ts":{{ts}},"rid":"{{id}}","status":200,"lane":"{{lane}}","model":"{{model}}","reason":"ok","retry":0{{more}}}""";
}
