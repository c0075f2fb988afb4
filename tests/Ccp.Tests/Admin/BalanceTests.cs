using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

public sealed class BalanceTests
{
    [Fact]
    public async Task A_top_up_answers_with_the_balance_before_and_after()
    {
        await using var till = await WithAliceAsync();

        var answer = await TopUpAsync(till, """{"amount":50,"note":"thanks"}""");

        Assert.Equal(200, answer.Status);
        Assert.Equal("alice", answer.Json.GetProperty("username").GetString());
        Assert.Equal("0", answer.Digits("previousBalance"));
        Assert.Equal("50", answer.Digits("currentBalance"));
        Assert.NotEmpty(answer.Json.GetProperty("message").GetString()!);
        var entry = (await till.AskAsync("GET", "/admin/ledger")).Json[0];
        Assert.Equal("thanks", entry.GetProperty("note").GetString());
        Assert.Equal("host", entry.GetProperty("actor").GetString());
        Assert.NotEmpty(entry.GetProperty("reference").GetString()!);
    }

    [Fact]
    public async Task Amounts_are_read_and_written_digit_for_digit()
    {
        await using var till = await WithAliceAsync("[billing]\nminimum_topup = 0");

        await TopUpAsync(till, """{"amount":0.1}""");
        await TopUpAsync(till, """{"amount":0.2}""");
        Assert.Equal("0.3", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));

        await TopUpAsync(till, """{"amount":"9007199.254740993"}""");
        await TopUpAsync(till, """{"amount":0.000000001}""");
        Assert.Equal("9007199.554740994", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"amount":null}""")]
    [InlineData("""{"amount":5e1}""")]
    [InlineData("""{"amount":"5e1"}""")]
    [InlineData("""{"amount":"50,00"}""")]
    [InlineData("""{"amount":" 50"}""")]
    [InlineData("""{"amount":"$50"}""")]
    [InlineData("""{"amount":50.0000000001}""")]
    [InlineData("""{"amount":true}""")]
    [InlineData("""{"amount":[50]}""")]
    [InlineData("""{"amount":99999999999999999999}""")]
    [InlineData("""{"amount":100000001}""")]
    [InlineData("""{"amount":50,"amount":60}""")]
    [InlineData("""{"amount":50,"refrence":"a"}""")]
    [InlineData("""{"amount":50,"reference":"two\nlines"}""")]
    [InlineData("""{"amount":50,"note":"\u001b[2J"}""")]
    public async Task What_is_no_amount_adds_nothing(string body)
    {
        await using var till = await WithAliceAsync();

        var answer = await TopUpAsync(till, body);

        Assert.Equal(400, answer.Status);
        Assert.Equal("0", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
        Assert.Equal(0, (await till.AskAsync("GET", "/admin/ledger")).Json.GetArrayLength());
    }

    [Theory]
    [InlineData("49.999999999")]
    [InlineData("0")]
    public async Task Less_than_the_minimum_is_refused_in_the_known_words(string amount)
    {
        await using var till = await WithAliceAsync();

        var answer = await TopUpAsync(till, $$"""{"amount":{{amount}}}""");

        Assert.Equal(400, answer.Status);
        Assert.Equal("""{"error":"Minimum payment is $50","minimumPayment":50}""", answer.Text);
    }

    [Fact]
    public async Task Another_minimum_is_stated_as_configured()
    {
        await using var till = await WithAliceAsync("[billing]\nminimum_topup = 2.50");

        Assert.Equal("""{"error":"Minimum payment is $2.5","minimumPayment":2.5}""", (await TopUpAsync(till, """{"amount":2}""")).Text);
        Assert.Equal(200, (await TopUpAsync(till, """{"amount":2.5}""")).Status);
    }

    [Fact]
    public async Task Money_is_not_taken_away_by_a_change_of_the_user()
    {
        await using var till = await WithAliceAsync();

        var answer = await till.AskAsync("PUT", "/admin/users/alice", """{"addBalance":-50}""");

        Assert.Equal(400, answer.Status);
        Assert.Contains("adjustment", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reference_counts_once_however_often_it_is_sent()
    {
        await using var till = await WithAliceAsync();
        await TopUpAsync(till, """{"amount":50,"reference":"invoice-17"}""");

        var again = await TopUpAsync(till, """{"amount":"50.00","reference":"invoice-17"}""");
        var other = await TopUpAsync(till, """{"amount":60,"reference":"invoice-17"}""");

        Assert.Equal(200, again.Status);
        Assert.Contains("stands already", again.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(("50", "50"), (again.Digits("previousBalance"), again.Digits("currentBalance")));
        Assert.Equal(409, other.Status);
        Assert.Equal("50", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
        Assert.Equal(1, (await till.AskAsync("GET", "/admin/ledger")).Json.GetArrayLength());
    }

    [Fact]
    public async Task The_same_reference_is_another_payment_for_another_user()
    {
        await using var till = await WithAliceAsync();
        await till.AddUserAsync("bob");
        await TopUpAsync(till, """{"amount":50,"reference":"invoice-17"}""");

        var answer = await till.AskAsync("POST", "/admin/balance/bob", """{"amount":60,"reference":"invoice-17"}""");

        Assert.Equal("60", answer.Digits("currentBalance"));
    }

    [Fact]
    public async Task Without_a_reference_each_top_up_counts()
    {
        await using var till = await WithAliceAsync();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => TopUpAsync(till, """{"amount":50}"""))));

        Assert.Equal("1000", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
        await till.RestartAsync();
        Assert.Equal("1000", (await till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
    }

    [Fact]
    public async Task Users_see_their_own_balance_and_are_warned_when_it_is_low()
    {
        await using var till = TillUnderTest.WithConfig();
        var token = await till.AddUserAsync("alice", ""","initialBalance":50""");
        Assert.Equal(
            """{"username":"alice","balance":50,"lowBalanceWarning":false,"available":50,"held":0}""",
            (await till.AskWithAsync(token, "GET", "/user/balance")).Text);

        await till.ChargeAsync("alice", "20.000000001", "req_1");

        Assert.Equal(
            """{"username":"alice","balance":29.999999999,"lowBalanceWarning":true,"available":29.999999999,"held":0}""",
            (await till.AskWithAsync(token, "GET", "/user/balance")).Text);
    }

    private static async Task<TillUnderTest> WithAliceAsync(string toml = "")
    {
        var till = TillUnderTest.WithConfig(toml);
        await till.AddUserAsync("alice");
        return till;
    }

    private static Task<Answer> TopUpAsync(TillUnderTest till, string body) => till.AskAsync("POST", "/admin/balance/alice", body);
}
