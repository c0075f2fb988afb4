using Ccp.Cli;
using Ccp.Forwarding;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Ccp.Usage;

namespace Ccp.Tests.Admin;

public sealed class ReceiptTests
{
    private const string Own =
        """
        [[price]]
        model = "house-model"
        input = 1
        output = 2
        """;

    private static readonly MeteredUsage Used = new(new TokenUsage(1_201, 17, 3, 70_001, 333), [], WebSearches: 2, ServiceTier: "batch");

    [Fact]
    public async Task A_receipt_names_every_line_its_price_and_its_entry()
    {
        await using var till = await WithAliceAsync();
        var charge = await new ServedCall("alice", "req_1", Used) { AnsweredModel = "claude-sonnet-4-5-20250929", Model = "claude-sonnet-4-5" }.WriteAsync(till);

        var receipt = (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Json;

        Assert.Equal(
            ["input 1201 3", "cache_write_5m 17 3.75", "cache_write_1h 3 6", "cache_read 70001 0.30", "output 333 15", "web_searches 2 10"],
            Lines(receipt).Where(line => line.GetProperty("count").ValueKind != System.Text.Json.JsonValueKind.Null)
                .Select(line => $"{line.GetProperty("item")} {line.GetProperty("count")} {line.GetProperty("unitUsd").GetRawText()}"));
        Assert.Equal(charge.ToUsd(), SumOf(receipt));
        Assert.Equal(charge.ToUsd(), receipt.GetProperty("chargeDollars").GetDecimal());
        Assert.Equal(charge.ToUsd(), receipt.GetProperty("netDollars").GetDecimal());
        Assert.Equal("complete", receipt.GetProperty("endedText").GetString());
        Assert.False(receipt.GetProperty("estimated").GetBoolean());
        Assert.Equal("""[{"model":"claude-sonnet-4-5","effectiveFrom":null,"asOf":"2026-10-31","source":"Anthropic pricing and model pages; agrees with the table in Claude Code 2.1.330"}]""", receipt.GetProperty("prices").GetRawText());
        var entry = (await till.AskAsync("GET", "/admin/ledger?limit=1")).Json[0];
        Assert.Equal(entry.GetProperty("id").GetInt64(), receipt.GetProperty("entry").GetProperty("id").GetInt64());
        Assert.Equal(entry.GetProperty("hash").GetString(), receipt.GetProperty("entry").GetProperty("hash").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, receipt.GetProperty("explanation").ValueKind);
    }

    [Fact]
    public async Task A_receipt_says_the_same_when_the_price_book_has_changed()
    {
        await using var till = await WithAliceAsync(Own);
        var passes = new UsageIteration[] { new("house-model", new(5_001, 0, 0, 0, 7)), new("claude-haiku-5-5", new(100_001, 0, 0, 0, 1)), new(null, new(11, 0, 0, 0, 3)) };
        await new ServedCall("alice", "req_1", Used with { Iterations = passes }) { AnsweredModel = "claude-opus-5-5" }.WriteAsync(till);
        var before = (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Text;

        await till.RestartAsync("[[price]]\nmodel = \"house-*\"\ninput = 100\noutput = 200\n[[price]]\nmodel = \"claude-*\"\ninput = 7\noutput = 9");

        Assert.Equal(before, (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Text);
        Assert.Contains("\"row\":\"house-model\"", before, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("claude-haiku-5-5", null, null, "above")]
    [InlineData("claude-opus-5-5", "us", "fast", "fast")]
    public async Task A_call_charged_by_recovery_has_a_receipt_that_adds_up(string model, string? geo, string? speed, string basis)
    {
        await using var till = await WithAliceAsync();
        var row = HoldRowOf(till, "req_crashed", new TokenUsage(120_000, 0, 0, 0, 77), model, new PriceTerms(geo, speed));
        await till.Till.Writes.WriteAsync(database =>
        {
            row.Insert(database);
            return true;
        });
        var running = await till.AskAsync("GET", "/admin/requests/req_crashed/receipt");

        await till.RestartAsync();
        var receipt = (await till.AskAsync("GET", "/admin/requests/req_crashed/receipt")).Json;

        Assert.Equal(409, running.Status);
        Assert.Contains("in progress", running.Error, StringComparison.Ordinal);
        Assert.Equal("crash", receipt.GetProperty("ended").GetString());
        Assert.True(receipt.GetProperty("estimated").GetBoolean());
        Assert.Equal(basis, Lines(receipt)[0].GetProperty("basis").GetString());
        Assert.Equal(row.Charge.ToUsd(), SumOf(receipt));
        Assert.Equal(row.Charge.ToUsd(), receipt.GetProperty("chargeDollars").GetDecimal());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, receipt.GetProperty("explanation").ValueKind);
    }

    [Fact]
    public async Task A_request_and_its_receipt_say_where_it_was_to_go_and_why()
    {
        await using var till = TillUnderTest.WithConfig();
        var alice = await till.AddUserAsync("alice", ""","initialBalance":50""");
        await new ServedCall("alice", "req_1", Used) { Decision = new LaneDecision("zai", "quota_warn_attempt", "route", "own=no_credentials other=lane_down") }.WriteAsync(till);
        await new ServedCall("alice", "req_old", Used).WriteAsync(till);

        const string Decided = "\"decision\":\"zai\",\"decisionReason\":\"quota_warn_attempt\",\"chosenBy\":\"route\",\"rejected\":[{\"lane\":\"own\",\"reason\":\"no_credentials\"},{\"lane\":\"other\",\"reason\":\"lane_down\"}]";
        const string NotKnown = "\"decision\":null,\"decisionReason\":null,\"chosenBy\":null,\"rejected\":[]";
        var lines = (await till.AskAsync("GET", "/admin/requests")).Json;
        Assert.Contains(NotKnown, lines[0].GetRawText(), StringComparison.Ordinal);
        Assert.Contains(Decided, lines[1].GetRawText(), StringComparison.Ordinal);
        Assert.Contains(Decided, (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Text, StringComparison.Ordinal);
        Assert.Contains(Decided, (await till.AskWithAsync(alice, "GET", "/user/requests/req_1/receipt")).Text, StringComparison.Ordinal);
        Assert.Contains(NotKnown, (await till.AskAsync("GET", "/admin/requests/req_old/receipt")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"lane":"zai","decision":"zai","decisionReason":"default","chosenBy":null,"rejected":[]}""", "default")]
    [InlineData("""{"lane":"anthropic","decision":"anthropic","decisionReason":"license_block","chosenBy":"route","rejected":[{"lane":"zai","reason":"license_block"},{"lane":"b","reason":"no_price"}]}""", "license_block, wanted by route, not taken: zai (license_block), b (no_price)")]
    [InlineData("""{"lane":"anthropic","decision":"zai","decisionReason":"default","chosenBy":null,"rejected":[]}""", "default, sent to zai first")]
    [InlineData("""{"lane":"anthropic","decision":null,"decisionReason":null,"chosenBy":null,"rejected":[]}""", "")]
    [InlineData("""{"lane":null,"decision":null,"decisionReason":null,"chosenBy":null,"rejected":[]}""", "")]
    public void A_decision_is_told_in_one_line(string receipt, string words)
    {
        Assert.Equal(words, ReceiptCommand.DecisionOf(System.Text.Json.JsonDocument.Parse(receipt).RootElement));
    }

    [Fact]
    public async Task A_store_of_a_ccp_that_kept_no_decisions_is_opened_and_its_calls_keep_their_receipts()
    {
        await using var till = await WithAliceAsync();
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);
        var row = HoldRowOf(till, "req_crashed", new TokenUsage(1_000, 0, 0, 0, 77));
        await till.Till.Writes.WriteAsync(database =>
        {
            row.Insert(database);
            return true;
        });

        await till.RestartAsync(whileClosed: () => OlderStore.MakeOf(Path.Combine(till.Home, "ccp.db"), migrations: 6));

        Assert.Equal(200, (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Status);
        var recovered = (await till.AskAsync("GET", "/admin/requests/req_crashed/receipt")).Json;
        Assert.Equal(row.Charge.ToUsd(), recovered.GetProperty("chargeDollars").GetDecimal());
        await new ServedCall("alice", "req_2", Used) { Decision = new LaneDecision("anthropic", "default") }.WriteAsync(till);
        Assert.Equal("default", (await till.AskAsync("GET", "/admin/requests/req_2/receipt")).Json.GetProperty("decisionReason").GetString());
    }

    [Fact]
    public async Task Users_have_receipts_of_their_own_requests_and_nobody_else_s()
    {
        await using var till = TillUnderTest.WithConfig();
        var alice = await till.AddUserAsync("alice", ""","initialBalance":50""");
        var bob = await till.AddUserAsync("bob", ""","initialBalance":50""");
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);
        await till.Till.Writes.WriteAsync(database =>
        {
            HoldRowOf(till, "req_running", new TokenUsage(1, 0, 0, 0, 0)).Insert(database);
            return true;
        });

        var own = await till.AskWithAsync(alice, "GET", "/user/requests/req_1/receipt");
        var strangers = await till.AskWithAsync(bob, "GET", "/user/requests/req_1/receipt");
        var nobodys = await till.AskWithAsync(bob, "GET", "/user/requests/req_0/receipt");

        Assert.Equal(200, own.Status);
        Assert.Equal("alice", own.Json.GetProperty("username").GetString());
        Assert.Equal(404, strangers.Status);
        Assert.Equal((nobodys.Status, nobodys.Text), (strangers.Status, strangers.Text));
        var strangersRunning = await till.AskWithAsync(bob, "GET", "/user/requests/req_running/receipt");
        Assert.Equal((nobodys.Status, nobodys.Text), (strangersRunning.Status, strangersRunning.Text));
        Assert.Equal(409, (await till.AskWithAsync(alice, "GET", "/user/requests/req_running/receipt")).Status);
        Assert.Equal(401, (await till.AskWithAsync(null, "GET", "/user/requests/req_1/receipt")).Status);
        Assert.Equal(403, (await till.AskWithAsync(alice, "GET", "/admin/requests")).Status);
        Assert.Equal(404, (await till.AskAsync("GET", "/admin/requests/req_0/receipt")).Status);
    }

    [Fact]
    public async Task Where_admins_find_receipts_users_find_their_own_and_nobody_else_s()
    {
        await using var till = TillUnderTest.WithConfig();
        var alice = await till.AddUserAsync("alice", ""","initialBalance":50""");
        var bob = await till.AddUserAsync("bob", ""","initialBalance":50""");
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);
        await till.AskAsync("POST", "/admin/requests/req_1/refund", """{"note":"between operators"}""");

        var own = await till.AskWithAsync(alice, "GET", "/admin/requests/req_1/receipt");
        var strangers = await till.AskWithAsync(bob, "GET", "/admin/requests/req_1/receipt");

        Assert.Equal((200, (await till.AskWithAsync(alice, "GET", "/user/requests/req_1/receipt")).Text), (own.Status, own.Text));
        Assert.DoesNotContain("between operators", own.Text, StringComparison.Ordinal);
        Assert.Contains("between operators", (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Text, StringComparison.Ordinal);
        Assert.Equal((404, (await till.AskWithAsync(bob, "GET", "/admin/requests/req_0/receipt")).Text), (strangers.Status, strangers.Text));
        Assert.Equal(401, (await till.AskWithAsync(null, "GET", "/admin/requests/req_1/receipt")).Status);
        Assert.Equal(403, (await till.AskWithAsync(alice, "POST", "/admin/requests/req_1/receipt")).Status);
        Assert.Equal(403, (await till.AskWithAsync(alice, "POST", "/admin/requests/req_1/refund")).Status);
    }

    /// <summary>Every word that a record may have for it.</summary>
    public static TheoryData<string> Ends => [.. Enum.GetValues<RelayEnd>().Select(end => end.ToReason()), "streaming", "no_final_usage", "suspect", "upstream_error", "crash", "internal_error"];

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task How_a_request_ended_is_told_in_words(string reason)
    {
        await using var till = await WithAliceAsync();
        await new ServedCall("alice", "req_1", Used) { Reason = reason }.WriteAsync(till);

        var receipt = (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Json;

        Assert.Equal(reason, receipt.GetProperty("ended").GetString());
        var words = receipt.GetProperty("endedText").GetString()!;
        Assert.NotEqual(reason, words);
        Assert.DoesNotContain("_", words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_price_of_one_s_own_was_read_nowhere_whenever_it_took_effect()
    {
        await using var till = await WithAliceAsync("[[price]]\nmodel = \"claude-sonnet-4-5\"\ninput = 1\noutput = 2\neffective_from = 2026-01-02");
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);

        var price = (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Json.GetProperty("prices")[0];

        Assert.Equal("""{"model":"claude-sonnet-4-5","effectiveFrom":"2026-01-02T00:00:00+00:00","asOf":null,"source":"config.toml:1"}""", price.GetRawText());
    }

    [Fact]
    public async Task After_the_record_only_the_ledger_knows_and_the_receipt_says_so()
    {
        await using var till = TillUnderTest.WithConfig();
        var alice = await till.AddUserAsync("alice", ""","initialBalance":50""");
        var bob = await till.AddUserAsync("bob");
        var charge = await new ServedCall("alice", "req_1", Used).WriteAsync(till);
        await till.Till.Writes.WriteAsync(database => RequestRecord.DeleteBefore(database, DateTimeOffset.MaxValue));

        var receipt = await till.AskAsync("GET", "/admin/requests/req_1/receipt");

        Assert.Equal(charge.ToUsd(), receipt.Json.GetProperty("chargeDollars").GetDecimal());
        Assert.Equal("alice", receipt.Json.GetProperty("username").GetString());
        Assert.Empty(Lines(receipt.Json));
        Assert.Contains("deleted", receipt.Json.GetProperty("explanation").GetString(), StringComparison.Ordinal);
        Assert.Equal(200, (await till.AskWithAsync(alice, "GET", "/user/requests/req_1/receipt")).Status);
        Assert.Equal(404, (await till.AskWithAsync(bob, "GET", "/user/requests/req_1/receipt")).Status);
    }

    [Fact]
    public async Task A_record_of_an_older_ccp_has_lines_only_where_its_sums_come_to_the_charge()
    {
        await using var till = await WithAliceAsync();
        var plain = await new ServedCall("alice", "req_plain", MeteredUsage.Of(Used.Tokens)) { KeepsUsage = false }.WriteAsync(till);
        var halved = await new ServedCall("alice", "req_batch", Used) { KeepsUsage = false }.WriteAsync(till);

        var known = (await till.AskAsync("GET", "/admin/requests/req_plain/receipt")).Json;
        var unknown = (await till.AskAsync("GET", "/admin/requests/req_batch/receipt")).Json;

        Assert.Equal(plain.ToUsd(), SumOf(known));
        Assert.Contains("sums only", known.GetProperty("explanation").GetString(), StringComparison.Ordinal);
        Assert.Empty(Lines(unknown));
        Assert.Equal(halved.ToUsd(), unknown.GetProperty("chargeDollars").GetDecimal());
        Assert.Contains("too little", unknown.GetProperty("explanation").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_who_is_metered_only_has_lines_that_come_to_nothing()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("carol", ""","billing":false""");
        await new ServedCall("carol", "req_1", Used).WriteAsync(till);

        var receipt = (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Json;

        Assert.Equal(0m, SumOf(receipt));
        Assert.Equal("not_charged", Lines(receipt)[^1].GetProperty("item").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, receipt.GetProperty("entry").ValueKind);
        Assert.Contains("not charged", receipt.GetProperty("explanation").GetString(), StringComparison.Ordinal);
    }

    private static HoldRow HoldRowOf(TillUnderTest till, string id, TokenUsage tokens, string model = "claude-haiku-5-5", PriceTerms terms = default)
    {
        var now = till.Clock.GetUtcNow();
        var card = new RateCard(model, till.Till.Prices.Find(model, now)!, 1.35m, till.Till.Prices, now, IsFixed: false);
        var alice = till.User("alice");
        return new HoldRow(
            id, alice.AccountId, now, new NanoUsd(1), (card with { Markup = 1m }).RunningAmount(tokens, terms), card.RunningAmount(tokens, terms), tokens,
            alice.Id, card.Model, "anthropic", IsStream: true, Session: null, Agent: null, card.ToJson(), terms);
    }

    private static async Task<TillUnderTest> WithAliceAsync(string toml = "")
    {
        var till = TillUnderTest.WithConfig(toml);
        await till.AddUserAsync("alice", ""","initialBalance":50""");
        return till;
    }

    private static List<System.Text.Json.JsonElement> Lines(System.Text.Json.JsonElement receipt) => [.. receipt.GetProperty("lines").EnumerateArray()];

    private static decimal SumOf(System.Text.Json.JsonElement receipt) => Lines(receipt).Sum(line => line.GetProperty("usd").GetDecimal());
}
