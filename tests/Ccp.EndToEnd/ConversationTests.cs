using Ccp.EndToEnd.Hosting;
using Ccp.Pricing;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.EndToEnd;

/// <summary>What a person does all day, and what it costs.</summary>
/// <remarks>
/// claude-opus-5-5 costs 4 USD per million input tokens, 5 and 8 to write to the cache for 5 minutes and an hour, 0.20 to read from it,
/// 20 for output: 4 000, 5 000, 8 000, 200 and 20 000 nano-dollars a token. Users pay twice that.
/// </remarks>
public sealed class ConversationTests
{
    // 1 200 input, 400 written for 5 minutes, 3 000 read, 24 output.
    private const long MainCharge = 2 * ((1_200 * 4_000) + (400 * 5_000) + (3_000 * 200) + (24 * 20_000));

    // 800 input, 12 output.
    private const long AgentCharge = 2 * ((800 * 4_000) + (12 * 20_000));

    // As the main one, with 1 600 output.
    private const long LongCharge = 2 * ((1_200 * 4_000) + (400 * 5_000) + (3_000 * 200) + (1_600 * 20_000));

    private const long Topup = 50_000_000_000;

    [Fact]
    public async Task A_prompt_is_answered_and_charged_to_the_nano_dollar()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("hello");

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        var books = await place.CloseAsync();
        var charge = Assert.Single(books.Charges);
        Assert.Equal(15_760_000, MainCharge);
        Assert.Equal(-MainCharge, charge.Amount.Value);
        Assert.Equal("claude-opus-5-5", charge.Note);
        Assert.Equal(Topup - MainCharge, books.Balance.Value);
        var call = Assert.Single(books.Calls);
        Assert.False(call.IsEstimated);
        Assert.Equal(("streaming", MainCharge / 2), (call.Reason, call.Cost.Value));
        Assert.Equal(new TokenUsage(Input: 1_200, CacheWrite5m: 400, CacheWrite1h: 0, CacheRead: 3_000, Output: 24), call.Tokens);
    }

    [Fact]
    public async Task The_upstream_gets_the_lane_s_key_and_never_the_person_s_token()
    {
        await using var place = await Workplace.OpenAsync();

        await place.AskAsync("hello");

        var request = Assert.Single(place.Upstream.Requests);
        Assert.Equal("/v1/messages?beta=true", request.Target);
        Assert.Equal(CcpUnderTest.TeamKey, request.Header("x-api-key"));
        Assert.Null(request.Header("authorization"));
        Assert.DoesNotContain(request.Headers, header => header.Value.Contains(CcpUnderTest.Alice, StringComparison.Ordinal));
        var books = await place.CloseAsync();
        Assert.Equal(request.Header("x-claude-code-session-id"), Assert.Single(books.Calls).Session);
    }

    [Theory]
    [InlineData("", CcpUnderTest.Alice)]
    [InlineData(CcpUnderTest.Alice, CcpUnderTest.Alice)]
    public async Task The_token_may_come_as_an_api_key_alone_or_beside_the_other(string authToken, string apiKey)
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["ANTHROPIC_AUTH_TOKEN"] = authToken, ["ANTHROPIC_API_KEY"] = apiKey });

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        var request = Assert.Single(place.Upstream.Requests);
        Assert.Equal(CcpUnderTest.TeamKey, request.Header("x-api-key"));
        Assert.Null(request.Header("authorization"));
        var books = await place.CloseAsync();
        Assert.Equal(-MainCharge, Assert.Single(books.Charges).Amount.Value);
    }

    [Fact]
    public async Task A_tool_turn_is_two_calls_of_one_session()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("please [[tool]]", "--allowedTools", "Bash");

        Assert.Equal((0, "The tool said: tool-ran"), (run.ExitCode, run.Printed));
        var books = await place.CloseAsync();
        Assert.Equal([-MainCharge, -MainCharge], books.Charges.Select(charge => charge.Amount.Value));
        Assert.Equal(Topup - (2 * MainCharge), books.Balance.Value);
        Assert.NotNull(Assert.Single(books.Calls.Select(call => call.Session).Distinct()));
    }

    [Fact]
    public async Task A_sub_agent_s_calls_carry_its_id_and_its_parent_s_session()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("please [[agent]]");

        Assert.Equal((0, $"The sub-agent said: {ClaudeCodeAnswers.AgentReport}"), (run.ExitCode, run.Printed));
        var books = await place.CloseAsync();
        Assert.Equal([-MainCharge, -AgentCharge, -MainCharge], books.Charges.Select(charge => charge.Amount.Value));
        Assert.NotNull(Assert.Single(books.Calls.Select(call => call.Session).Distinct()));

        var byAgent = Assert.Single(books.Calls, call => call.Agent is not null);
        Assert.Equal(AgentCharge, byAgent.Charge.Value);
        Assert.Equal(place.Upstream.Requests[1].Header("x-claude-code-agent-id"), byAgent.Agent);
        Assert.Equal(byAgent.Agent, Books.Text(Assert.Single(books.Ended, line => Books.Text(line, "rid") == byAgent.Id), "agent"));
        Assert.Equal(byAgent.Agent, Assert.Single(books.Ended.Select(line => Books.Text(line, "agent")), agent => agent is not null));
    }

    [Fact]
    public async Task The_base_url_may_end_in_a_prefix()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["ANTHROPIC_BASE_URL"] = new Uri(place.Ccp.Address!, "/api/anthropic").AbsoluteUri });

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        Assert.Equal("/v1/messages?beta=true", Assert.Single(place.Upstream.Requests).Target);
        var books = await place.CloseAsync();
        Assert.Equal(-MainCharge, Assert.Single(books.Charges).Amount.Value);
    }

    [Fact]
    public async Task A_long_answer_arrives_whole()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("please [[long]]");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(Enumerable.Range(1, 200).Select(line => $"Line {line} of a long answer from the scripted upstream."), run.Printed.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var books = await place.CloseAsync();
        Assert.Equal(-LongCharge, Assert.Single(books.Charges).Amount.Value);
    }

    [Fact]
    public async Task A_person_who_interrupts_pays_for_what_was_made_until_then()
    {
        // As the main one, but for the output: the 22 bytes of "This will take a while" count as 7 tokens, at 3.2 bytes each.
        const long Charge = 2 * ((1_200 * 4_000) + (400 * 5_000) + (3_000 * 200) + (7 * 20_000));
        await using var place = await Workplace.OpenAsync();
        await using var claude = place.Start("please [[slow]]", ["--output-format", "stream-json", "--verbose", "--include-partial-messages"]);
        await claude.UntilItPrintsAsync("a while");

        await claude.InterruptAsync();
        var run = await claude.EndAsync();

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("[Request interrupted by user]", run.Printed, StringComparison.Ordinal);
        var request = Assert.Single(place.Upstream.Requests);
        await request.Aborted.WaitAsync(TimeSpan.FromSeconds(10));
        var books = await place.CloseAsync();
        var charge = Assert.Single(books.Charges);
        Assert.Equal(-Charge, charge.Amount.Value);
        Assert.Equal("claude-opus-5-5, estimated (client_left)", charge.Note);
        var call = Assert.Single(books.Calls);
        Assert.Equal(("client_left", true), (call.Reason, call.IsEstimated));
        Assert.True(Assert.Single(books.Ended).GetProperty("estimated").GetBoolean());
    }
}
