using System.Net;
using Ccp.EndToEnd.Hosting;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.EndToEnd;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>When ccp says no: the client shows why, once, and stops.</summary>
public sealed class RefusalTests
{
    [Fact]
    public async Task An_empty_account_is_told_so_once_and_the_upstream_is_not_asked()
    {
        await using var place = await Workplace.OpenAsync(balance: "0");

        var run = await place.AskAsync("hello");

        Stopped(run, "API Error: 402 Your ccp balance is used up (0.00 USD). Ask your operator for a top-up; your work can go on right after it.");
        var books = await place.CloseAsync();
        Refused(place, books, 402, "insufficient_credit");
    }

    [Fact]
    public async Task An_account_that_runs_dry_stops_between_turns_and_a_top_up_lets_it_go_on()
    {
        // The first call takes a balance that is above zero, however little, below it.
        await using var place = await Workplace.OpenAsync(balance: "0.000000001");

        var stopped = await place.AskAsync("please [[tool]]", "--allowedTools", "Bash");

        Stopped(stopped, "API Error: 402 Your ccp balance is used up (-0.015759999 USD). Ask your operator for a top-up; your work can go on right after it.");
        Assert.Single(place.Upstream.Requests);

        await place.Ccp.TopUpAsync("alice", "50");
        var goneOn = await place.AskAsync("once more", "--continue");

        Assert.Equal((0, "The tool said: tool-ran"), (goneOn.ExitCode, goneOn.Printed));
        var books = await place.CloseAsync();
        Assert.Equal([200, 402, 200], books.Ended.Select(line => line.GetProperty("status").GetInt32()));
        Assert.Equal([-15_760_000, -15_760_000], books.Charges.Select(charge => charge.Amount.Value));
        Assert.Equal(50_000_000_001 - (2 * 15_760_000), books.Balance.Value);
        Assert.NotNull(Assert.Single(books.Ended.Select(line => Books.Text(line, "session")).Distinct()));
    }

    [Fact]
    public async Task A_balance_that_runs_out_in_mid_stream_ends_it_and_the_client_s_second_try_is_refused()
    {
        // 100 tokens of output an event, 0.004 USD; the script goes on until it is broken off.
        var usage = new Usage(Input: 1_000, Output: 1);
        await using var place = await Workplace.OpenAsync(
            _ => Enumerable.Range(0, 400).Aggregate(
                Answers.BeginStream().Send(SseEvents.MessageStart("claude-opus-5-5", usage)).Send(SseEvents.TextStart()),
                (script, _) => script.Send(SseEvents.TextDelta(new string('x', 320))).Send(SseEvents.Ping)).Hang(),
            balance: "0.10",
            change: setup => setup.Billing = """overdraft = "0.05" """);

        var run = await place.AskAsync("hello");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("API Error: 402 Your ccp balance is used up", run.Printed, StringComparison.Ordinal);
        var books = await place.CloseAsync();
        Assert.Equal(["out_of_credit", "insufficient_credit"], books.Ended.Select(line => line.GetProperty("reason").GetString()));
        Assert.Single(place.Upstream.Requests);
        Assert.Equal(100_000_000 + Assert.Single(books.Charges).Amount.Value, books.Balance.Value);

        // Never more than the overdraft and the one event that passed it, however many lay in one read.
        Assert.InRange(books.Balance.Value, -50_000_000 - 4_000_000, -50_000_000);
    }

    [Fact]
    public async Task A_token_that_nobody_holds_stops_the_client_at_once()
    {
        const string Stranger = "7d7c2d2e-6a27-4d3b-9f0a-3d7a5f1b9c55";
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["ANTHROPIC_AUTH_TOKEN"] = Stranger });

        Stopped(run, "Failed to authenticate. API Error: 401 This ccp token is not valid, or no longer. Ask your operator for a new one and set ANTHROPIC_AUTH_TOKEN to it.");
        var books = await place.CloseAsync(Stranger);
        Refused(place, books, 401, "token_unknown");
    }

    [Fact]
    public async Task A_model_without_a_price_is_refused_by_name()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("hello", "--model", "claude-nobody-prices-this");

        Stopped(run, "Failed to authenticate. API Error: 403 The model claude-nobody-prices-this has no price on this proxy, so it is not served. Choose another model, or ask your operator to add a [[price]] table for it to the configuration.");
        var books = await place.CloseAsync();
        Refused(place, books, 403, "model_not_priced");
    }

    [Fact]
    public async Task A_person_who_is_shut_out_is_told_so_at_the_next_call()
    {
        const string Admin = "5c1d7f0e-9a53-4b7c-8d26-e1f4a90b3c72";
        await using var place = await Workplace.OpenAsync(change: setup => setup.More = $"""
            [[user]]
            name = "boss"
            admin = true
            token_sha256 = "{CcpSetup.HashOf(Admin)}"
            """);
        var before = await place.AskAsync("hello");
        using var change = await place.Ccp.SendAsync(place.Ccp.Request(HttpMethod.Put, "/admin/users/alice", Admin, """{"disabled":true}"""));
        Assert.Equal(HttpStatusCode.OK, change.StatusCode);

        var run = await place.AskAsync("hello", "--continue");

        Assert.Equal(0, before.ExitCode);
        Stopped(run, "Failed to authenticate. API Error: 403 The ccp user alice is disabled. Ask your operator to enable it.");
        Assert.Single(place.Upstream.Requests);
        var books = await place.CloseAsync(Admin);
        Assert.Equal([200, 403], books.Ended.Select(line => line.GetProperty("status").GetInt32()));
        Assert.Single(books.Charges);
    }

    [Fact]
    public async Task A_key_of_the_operator_s_that_is_refused_is_not_the_person_s_business()
    {
        await using var place = await Workplace.OpenAsync(_ => Answers.Unauthorized());

        var run = await place.AskAsync("hello");

        // The client adds its own advice, which names the gateway.
        Stopped(run with { Printed = run.Printed.Split(" This is a server-side issue")[0] }, "API Error: 503 The proxy's credential was refused by the anthropic lane (status 401). Logging in again does not help: your operator must look at the API key that ccp uses for you, or its credit.");
        Assert.Single(place.Upstream.Requests);
        var books = await place.CloseAsync();
        Assert.Empty(books.Charges);
        Assert.Equal(503, Assert.Single(books.Ended).GetProperty("status").GetInt32());
    }

    private static void Stopped(ClaudeRun run, string saying)
    {
        Assert.Equal(saying, run.Printed);
        Assert.Equal(1, run.ExitCode);
    }

    /// <summary>One request came, none went on, nothing was charged.</summary>
    private static void Refused(Workplace place, Books books, int status, string reason)
    {
        Assert.Empty(place.Upstream.Requests);
        Assert.Empty(books.Charges);
        var line = Assert.Single(books.Ended);
        Assert.Equal((status, reason), (line.GetProperty("status").GetInt32(), Books.Text(line, "reason")));
    }
}
