using System.Globalization;
using Ccp.Pricing;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

public sealed class RerateTests
{
    /// <summary>Sonnet 4.5 at half of what the built-in book has for input and output.</summary>
    private const string Cheaper =
        """
        [[price]]
        model = "claude-sonnet-4-5"
        input = 1.50
        output = 7.50
        """;

    /// <summary>1000 x 3 and 100 x 15 millionths: 0.009 USD at twice that.</summary>
    private static readonly MeteredUsage Used = MeteredUsage.Of(new TokenUsage(1_000, 0, 0, 0, 100));

    [Fact]
    public async Task A_dry_run_shows_the_difference_and_posts_nothing()
    {
        await using var till = await WithCallsAsync();
        await till.RestartAsync(Cheaper);

        var found = (await RerateAsync(till, """{"since":"30d","dryRun":true}""")).Json;

        Assert.Equal(
            """[{"username":"alice","model":"claude-sonnet-4-5","requests":3,"estimated":1,"corrected":3,"chargedDollars":0.027,"wouldBeDollars":0.0135,"differenceDollars":-0.0135},{"username":"bob","model":"claude-opus-4-5","requests":1,"estimated":0,"corrected":0,"chargedDollars":0.015,"wouldBeDollars":0.015,"differenceDollars":0}]""",
            found.GetProperty("lines").GetRawText());
        Assert.True(found.GetProperty("dryRun").GetBoolean());
        Assert.Equal((6, 3), (found.GetProperty("requests").GetInt32(), found.GetProperty("corrected").GetInt32()));
        Assert.Equal("""{"refunded":0,"notCharged":1,"withoutUsage":1,"withoutPrice":0,"otherTerms":0}""", found.GetProperty("skipped").GetRawText());
        Assert.Equal(0, Adjustments(till));
    }

    [Fact]
    public async Task The_differences_are_posted_once_however_often_it_is_done()
    {
        await using var till = await WithCallsAsync();
        await till.RestartAsync(Cheaper);
        var before = Balance(till);

        var first = (await RerateAsync(till, """{"since":"30d"}""")).Json;
        var second = (await RerateAsync(till, """{"since":"30d"}""")).Json;

        Assert.Equal((3, 0), (first.GetProperty("corrected").GetInt32(), second.GetProperty("corrected").GetInt32()));
        Assert.Equal(before + new NanoUsd(13_500_000), Balance(till));
        Assert.Equal(3, Adjustments(till));
        var entry = (await till.AskAsync("GET", "/admin/ledger?limit=1")).Json[0];
        Assert.Equal($"rerate:{first.GetProperty("run").GetString()}:req_a3", entry.GetProperty("reference").GetString());
        Assert.Equal(("0.0045", "claude-sonnet-4-5: 0.009 USD becomes 0.0045 USD"), (entry.GetProperty("amount").GetRawText(), entry.GetProperty("note").GetString()));
        var receipt = (await till.AskAsync("GET", "/admin/requests/req_a1/receipt")).Json;
        Assert.Equal(("0.009", "0.0045"), (receipt.GetProperty("chargeDollars").GetRawText(), receipt.GetProperty("netDollars").GetRawText()));
        await CorrectionTests.AssertSoundAsync(till);
    }

    [Fact]
    public async Task A_run_that_stopped_half_way_is_completed_by_the_same_run_after_a_restart()
    {
        await using var till = await WithCallsAsync();
        await till.RestartAsync(Cheaper);
        var before = Balance(till);

        await RerateAsync(till, """{"since":"2026-11-22","until":"2026-11-22","run":"fix-1"}""");
        Assert.Equal(1, Adjustments(till));
        await till.RestartAsync(Cheaper);
        var rest = (await RerateAsync(till, """{"since":"2026-11-22","run":"fix-1"}""")).Json;

        Assert.Equal(2, rest.GetProperty("corrected").GetInt32());
        Assert.Equal(3, Adjustments(till));
        Assert.Equal(before + new NanoUsd(13_500_000), Balance(till));
        await CorrectionTests.AssertSoundAsync(till);
    }

    [Fact]
    public async Task When_the_store_cannot_be_written_the_refusal_names_the_run_that_completes_it()
    {
        await using var till = await WithCallsAsync();
        await till.RestartAsync(Cheaper);
        var before = Balance(till);
        await till.Till.Writes.DisposeAsync();

        var failed = await RerateAsync(till, """{"since":"30d","run":"fix-1"}""");
        Assert.Equal(503, failed.Status);
        Assert.Contains("--run fix-1 completes it", failed.Error, StringComparison.Ordinal);
        Assert.Equal(before, Balance(till));

        await till.RestartAsync(Cheaper);
        Assert.Equal(3, (await RerateAsync(till, """{"since":"30d","run":"fix-1"}""")).Json.GetProperty("corrected").GetInt32());
        Assert.Equal(before + new NanoUsd(13_500_000), Balance(till));
        await CorrectionTests.AssertSoundAsync(till);
    }

    [Fact]
    public async Task A_later_run_corrects_an_earlier_one_and_the_same_run_does_not()
    {
        await using var till = await WithCallsAsync();
        var before = Balance(till);
        await till.RestartAsync(Cheaper);
        await RerateAsync(till, """{"since":"30d","run":"fix-1"}""");
        await till.RestartAsync();

        var same = (await RerateAsync(till, """{"since":"30d","run":"fix-1"}""")).Json;
        Assert.Equal((0, 3), (same.GetProperty("corrected").GetInt32(), same.GetProperty("skipped").GetProperty("otherTerms").GetInt32()));
        Assert.Equal(3, Adjustments(till));

        var next = (await RerateAsync(till, """{"since":"30d","run":"fix-2"}""")).Json;
        Assert.Equal((3, "0.0135"), (next.GetProperty("corrected").GetInt32(), next.GetProperty("differenceDollars").GetRawText()));
        Assert.Equal(before, Balance(till));
        await CorrectionTests.AssertSoundAsync(till);
    }

    [Fact]
    public async Task Refunded_requests_are_left_alone_and_a_refund_after_a_rerate_gives_back_what_is_left()
    {
        await using var till = await WithCallsAsync();
        await till.AskAsync("POST", "/admin/requests/req_a1/refund");
        await till.RestartAsync(Cheaper);

        var run = (await RerateAsync(till, """{"since":"30d"}""")).Json;
        var refund = await till.AskAsync("POST", "/admin/requests/req_a2/refund");

        Assert.Equal((2, 1), (run.GetProperty("corrected").GetInt32(), run.GetProperty("skipped").GetProperty("refunded").GetInt32()));
        Assert.Equal("0.0045", refund.Digits("refunded"));
        Assert.Equal(0, (await RerateAsync(till, """{"since":"30d"}""")).Json.GetProperty("corrected").GetInt32());
        await CorrectionTests.AssertSoundAsync(till);
    }

    [Fact]
    public async Task The_price_is_the_one_of_the_day_of_the_call_and_the_markup_the_one_it_was_admitted_with()
    {
        await using var till = await WithCallsAsync();
        await till.RestartAsync("[billing]\nmarkup = 5\n[[price]]\nmodel = \"claude-sonnet-4-5\"\ninput = 6\noutput = 30\neffective_from = 2026-11-23T00:00:00Z");

        var found = (await RerateAsync(till, """{"since":"30d","username":"alice","dryRun":true}""")).Json;

        // The first call was before that day; the two others double.
        Assert.Equal((2, "0.027", "0.045"), (found.GetProperty("corrected").GetInt32(), found.GetProperty("chargedDollars").GetRawText(), found.GetProperty("wouldBeDollars").GetRawText()));
    }

    [Fact]
    public async Task A_model_that_was_charged_as_another_is_corrected_once_it_has_a_price()
    {
        const string Unknown = "[billing]\nunknown_model = \"claude-opus-4-5\"";
        await using var till = TillUnderTest.WithConfig(Unknown);
        await till.AddUserAsync("alice", ""","initialBalance":50""");
        await new ServedCall("alice", "req_1", Used) { Model = "new-model" }.WriteAsync(till);

        await till.RestartAsync(Unknown + "\n[[price]]\nmodel = \"new-model\"\ninput = 2\noutput = 10");
        var corrected = (await RerateAsync(till, """{"since":"30d"}""")).Json;
        await till.RestartAsync();
        var without = (await RerateAsync(till, """{"since":"30d"}""")).Json;

        Assert.Equal("-0.009", corrected.GetProperty("differenceDollars").GetRawText());
        Assert.Equal(1, without.GetProperty("skipped").GetProperty("withoutPrice").GetInt32());
        Assert.Equal("49.994", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
    }

    [Fact]
    public async Task A_rerate_may_take_a_balance_below_zero_and_says_so()
    {
        await using var till = await WithCallsAsync();
        await till.RestartAsync("[[price]]\nmodel = \"claude-sonnet-4-5\"\ninput = 1000000\noutput = 0");

        var found = (await RerateAsync(till, """{"since":"30d","username":"alice"}""")).Json;

        Assert.Equal("""["alice"]""", found.GetProperty("belowZero").GetRawText());
        Assert.True(Balance(till) < NanoUsd.Zero);
        await CorrectionTests.AssertSoundAsync(till);
    }

    [Fact]
    public async Task More_requests_than_a_page_are_each_corrected_once_while_calls_go_on()
    {
        const int Calls = 700;
        await using var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","initialBalance":50""");
        for (var call = 0; call < Calls; call++)
        {
            await new ServedCall("alice", string.Create(CultureInfo.InvariantCulture, $"req_{call}"), Used).WriteAsync(till);
        }

        await till.RestartAsync(Cheaper);
        var rerates = Enumerable.Range(0, 3).Select(_ => Task.Run(() => RerateAsync(till, """{"since":"30d"}"""))).ToList();
        var charged = await new ServedCall("alice", "req_live", Used).WriteAsync(till);
        var runs = await Task.WhenAll(rerates);

        Assert.Equal(Calls, runs.Sum(run => run.Json.GetProperty("corrected").GetInt32()));
        Assert.Equal(CcpDollars("50") - new NanoUsd(Calls * 4_500_000L) - charged, Balance(till));
        Assert.Equal(Calls, Adjustments(till));
        await CorrectionTests.AssertSoundAsync(till);
    }

    [Theory]
    [InlineData("{}", 400)]
    [InlineData("""{"since":"yesterday"}""", 400)]
    [InlineData("""{"since":"30d","run":"a:b"}""", 400)]
    [InlineData("""{"since":"30d","run":""}""", 400)]
    [InlineData("""{"since":"30d","username":"nobody"}""", 404)]
    [InlineData("""{"since":"30d","user":"alice"}""", 400)]
    public async Task What_cannot_be_read_corrects_nothing(string body, int status)
    {
        await using var till = await WithCallsAsync();

        Assert.Equal(status, (await RerateAsync(till, body)).Status);
        Assert.Equal(0, Adjustments(till));
    }

    private static NanoUsd CcpDollars(string text) => NanoUsd.TryParse(text, out var amount) ? amount : throw new FormatException(text);

    private static NanoUsd Balance(TillUnderTest till) => till.Till.Ledger.StateOf(till.User("alice").AccountId).Balance;

    private static int Adjustments(TillUnderTest till)
    {
        using var reader = Ccp.Store.Database.OpenReader(till.Till.DatabasePath);
        return reader.QueryFirst("SELECT count(*) FROM entry WHERE kind = 'adjustment'", row => row.GetInt32(0));
    }

    private static Task<Answer> RerateAsync(TillUnderTest till, string body) => till.AskAsync("POST", "/admin/pricing/rerate", body);

    /// <summary>alice: three calls on three days, the last one estimated, and one of an older ccp; bob: one of another model; carol, who is not charged: one.</summary>
    private static async Task<TillUnderTest> WithCallsAsync()
    {
        var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","initialBalance":50""");
        await till.AddUserAsync("bob", ""","initialBalance":50""");
        await till.AddUserAsync("carol", ""","billing":false""");
        await new ServedCall("alice", "req_a1", Used).WriteAsync(till);
        till.Clock.Advance(TimeSpan.FromDays(1));
        await new ServedCall("alice", "req_a2", Used).WriteAsync(till);
        await new ServedCall("bob", "req_b1", Used) { Model = "claude-opus-4-5" }.WriteAsync(till);
        await new ServedCall("carol", "req_c1", Used).WriteAsync(till);
        await new ServedCall("alice", "req_old", Used) { KeepsUsage = false }.WriteAsync(till);
        till.Clock.Advance(TimeSpan.FromDays(1));
        await new ServedCall("alice", "req_a3", Used) { IsEstimated = true, Reason = "client_left" }.WriteAsync(till);
        return till;
    }
}
