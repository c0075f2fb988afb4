using Ccp.Pricing;
using Ccp.Tests.Shared;
using Ccp.Usage;

namespace Ccp.Tests.Admin;

public sealed class CorrectionTests
{
    /// <summary>1000 x 3 and 100 x 15 millionths, twice.</summary>
    private const string Charge = "0.009";

    private static readonly MeteredUsage Used = MeteredUsage.Of(new TokenUsage(1_000, 0, 0, 0, 100));

    [Fact]
    public async Task An_adjustment_takes_away_and_says_why()
    {
        await using var till = await WithAliceAsync();

        var answer = await AdjustAsync(till, """{"amount":"-12.50","note":"paid twice"}""");

        Assert.Equal(200, answer.Status);
        Assert.Equal(("50", "37.5"), (answer.Digits("previousBalance"), answer.Digits("currentBalance")));
        var entry = (await till.AskAsync("GET", "/admin/ledger")).Json[0];
        Assert.Equal(("adjustment", "-12.5", "paid twice", "host"), (entry.GetProperty("kind").GetString(), entry.GetProperty("amount").GetRawText(), entry.GetProperty("note").GetString(), entry.GetProperty("actor").GetString()));
        await AssertSoundAsync(till);
    }

    [Theory]
    [InlineData("""{"amount":-1}""")]
    [InlineData("""{"amount":-1,"note":""}""")]
    [InlineData("""{"amount":-1,"note":"  "}""")]
    [InlineData("""{"amount":0,"note":"n","adjustment":true}""")]
    [InlineData("""{"amount":-100000001,"note":"n"}""")]
    [InlineData("""{"amount":-9223372036.854775807,"note":"n"}""")]
    [InlineData("""{"amount":-1,"note":"n","reference":"rerate:a:req_1"}""")]
    [InlineData("""{"amount":-1,"note":"n","adjustment":false}""")]
    [InlineData("""{"amount":5,"adjustment":true}""")]
    public async Task An_adjustment_without_a_reason_or_a_sensible_amount_is_refused(string body)
    {
        await using var till = await WithAliceAsync();

        Assert.Equal(400, (await AdjustAsync(till, body)).Status);
        Assert.Equal(1, (await till.AskAsync("GET", "/admin/ledger")).Json.GetArrayLength());
        await AssertSoundAsync(till);
    }

    [Fact]
    public async Task An_adjustment_upwards_needs_no_minimum()
    {
        await using var till = await WithAliceAsync();

        Assert.Equal("50.5", (await AdjustAsync(till, """{"amount":0.5,"note":"sorry","adjustment":true}""")).Digits("currentBalance"));
    }

    [Fact]
    public async Task A_reference_adjusts_once_and_other_terms_are_refused()
    {
        await using var till = await WithAliceAsync();
        await AdjustAsync(till, """{"amount":-1,"note":"n","reference":"ticket-9"}""");

        var again = await AdjustAsync(till, """{"amount":"-1.00","note":"n","reference":"ticket-9"}""");
        var otherAmount = await AdjustAsync(till, """{"amount":-2,"note":"n","reference":"ticket-9"}""");
        var otherNote = await AdjustAsync(till, """{"amount":-1,"note":"m","reference":"ticket-9"}""");

        Assert.Equal((200, 409, 409), (again.Status, otherAmount.Status, otherNote.Status));
        Assert.Contains("stands already", again.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("49", again.Digits("currentBalance"));
        await AssertSoundAsync(till);
    }

    [Fact]
    public async Task An_adjustment_may_go_below_zero_and_says_what_that_means()
    {
        await using var till = await WithAliceAsync();

        var answer = await AdjustAsync(till, """{"amount":-60,"note":"chargeback"}""");

        Assert.Equal("-10", answer.Digits("currentBalance"));
        Assert.Contains("below zero", answer.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        await AssertSoundAsync(till);
    }

    [Fact]
    public async Task A_refund_gives_back_the_charge_and_the_receipt_shows_it()
    {
        await using var till = await WithAliceAsync();
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);

        var answer = await RefundAsync(till, "req_1", """{"note":"cut off"}""");

        Assert.Equal(200, answer.Status);
        Assert.Equal((Charge, "50"), (answer.Digits("refunded"), answer.Digits("currentBalance")));
        var receipt = (await till.AskAsync("GET", "/admin/requests/req_1/receipt")).Json;
        Assert.Equal((Charge, "0"), (receipt.GetProperty("chargeDollars").GetRawText(), receipt.GetProperty("netDollars").GetRawText()));
        var correction = Assert.Single(receipt.GetProperty("corrections").EnumerateArray());
        Assert.Equal(("refund", "req_1", "cut off", "host"), (correction.GetProperty("kind").GetString(), correction.GetProperty("reference").GetString(), correction.GetProperty("note").GetString(), correction.GetProperty("actor").GetString()));
        await AssertSoundAsync(till);
    }

    [Fact]
    public async Task What_operators_note_stays_with_them()
    {
        await using var till = await WithAliceAsync();
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);
        await RefundAsync(till, "req_1", """{"note":"a nuisance"}""");
        var token = (await till.AskAsync("POST", "/admin/users/alice/token")).Json.GetProperty("token").GetString();

        var receipt = await till.AskWithAsync(token, "GET", "/user/requests/req_1/receipt");

        Assert.Equal("refund", receipt.Json.GetProperty("corrections")[0].GetProperty("kind").GetString());
        Assert.DoesNotContain("nuisance", receipt.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("host", receipt.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_is_refunded_once_however_often_and_at_once_it_is_asked_for()
    {
        await using var till = await WithAliceAsync();
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => RefundAsync(till, "req_1"))));
        var other = await RefundAsync(till, "req_1", """{"amount":0.001}""");

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(1, answers.Count(answer => answer.Digits("refunded") == Charge));
        Assert.Equal(9, answers.Count(answer => answer.Digits("refunded") == "0" && answer.Text.Contains("before", StringComparison.Ordinal)));
        Assert.Equal(409, other.Status);
        Assert.Equal("50", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
        await AssertSoundAsync(till);
    }

    [Theory]
    [InlineData("""{"amount":0.009000001}""", 409)]
    [InlineData("""{"amount":0}""", 400)]
    [InlineData("""{"amount":-0.001}""", 400)]
    [InlineData("""{"amount":0.004}""", 200)]
    public async Task A_refund_is_never_more_than_the_request_has_cost(string body, int status)
    {
        await using var till = await WithAliceAsync();
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);

        Assert.Equal(status, (await RefundAsync(till, "req_1", body)).Status);
        Assert.Equal(status == 200 ? "49.995" : "49.991", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
        await AssertSoundAsync(till);
    }

    [Fact]
    public async Task What_cost_nothing_or_is_not_there_cannot_be_refunded()
    {
        await using var till = await WithAliceAsync();
        await till.AddUserAsync("carol", ""","billing":false""");
        await new ServedCall("carol", "req_metered", Used).WriteAsync(till);
        await new ServedCall("alice", "req_free", MeteredUsage.Nothing).WriteAsync(till);

        Assert.Equal(409, (await RefundAsync(till, "req_metered")).Status);
        Assert.Equal(409, (await RefundAsync(till, "req_free")).Status);
        Assert.Equal(404, (await RefundAsync(till, "req_0")).Status);
        await AssertSoundAsync(till);
    }

    [Fact]
    public async Task A_request_whose_record_is_gone_can_still_be_refunded()
    {
        await using var till = await WithAliceAsync();
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);
        await till.Till.Writes.WriteAsync(database => RequestRecord.DeleteBefore(database, DateTimeOffset.MaxValue));

        Assert.Equal(Charge, (await RefundAsync(till, "req_1")).Digits("refunded"));
        await AssertSoundAsync(till);
    }

    [Fact]
    public async Task What_was_used_stays_as_it_was_charged_when_it_is_given_back()
    {
        await using var till = await WithAliceAsync();
        await new ServedCall("alice", "req_1", Used).WriteAsync(till);
        await RefundAsync(till, "req_1");

        var usage = (await till.AskAsync("GET", "/admin/usage")).Json.GetProperty("alice");

        Assert.Equal((Charge, "50"), (usage.GetProperty("costDollars").GetRawText(), usage.GetProperty("currentBalance").GetRawText()));
    }

    /// <summary>Memory, the account's row and the entries say the same, and every hash is right.</summary>
    internal static async Task AssertSoundAsync(TillUnderTest till)
    {
        Assert.True((await till.AskAsync("GET", "/admin/ledger/verify")).Json.GetProperty("ok").GetBoolean());
        using var reader = Ccp.Store.Database.OpenReader(till.Till.DatabasePath);
        foreach (var (account, balance) in reader.Query("SELECT id, balance_nano FROM account", row => (row.GetInt64(0), new NanoUsd(row.GetInt64(1)))))
        {
            Assert.Equal(balance, till.Till.Ledger.StateOf(account).Balance);
        }
    }

    private static async Task<TillUnderTest> WithAliceAsync()
    {
        var till = TillUnderTest.WithConfig();
        await till.AddUserAsync("alice", ""","initialBalance":50""");
        return till;
    }

    private static Task<Answer> AdjustAsync(TillUnderTest till, string body) => till.AskAsync("POST", "/admin/balance/alice", body);

    private static Task<Answer> RefundAsync(TillUnderTest till, string id, string body = "") => till.AskAsync("POST", $"/admin/requests/{id}/refund", body);
}
