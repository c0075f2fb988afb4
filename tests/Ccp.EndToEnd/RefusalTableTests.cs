using System.Net;
using Ccp.EndToEnd.Hosting;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.EndToEnd;

/// <summary>What the real client makes of each way ccp says no: what lasts stops it at once and is shown; what passes is waited for, and the work goes on.</summary>
public sealed class RefusalTableTests
{
    private const string Stranger = "7d7c2d2e-6a27-4d3b-9f0a-3d7a5f1b9c55";

    /// <summary>So many in a row, and ccp leaves a lane alone.</summary>
    private const int FailuresMax = 5;

    /// <summary>What Alice's table says, how often she has asked before, what is shown then, and the reason logged.</summary>
    public static TheoryData<string, int, string, string> WhatLasts => new()
    {
        { "expires = 2026-01-31", 0, "API Error: 403 The ccp user alice expired on 2026-01-31 00:00 UTC.", "user_expired" },
        { """allow_from = ["10.0.0.0/8"]""", 0, "API Error: 403 The ccp user alice may not call from the address 127.0.0.1.", "address_not_allowed" },
        { """models = ["claude-haiku-*"]""", 0, "API Error: 403 The model claude-opus-5-5 is not among those that ccp allows you (claude-haiku-*).", "model_not_allowed" },
        { """limits = { spend_per_day = "0.001" }""", 1, "API Error: 402 You have spent 0.01576 USD today", "day_spend_reached" },
        { """limits = { spend_per_month = "0.001" }""", 1, "API Error: 402 You have spent 0.01576 USD this month", "month_spend_reached" },
        { "limits = { tokens_per_minute = 100 }", 1, "API Error: Request rejected (429) · You have used up the 100 tokens a minute that ccp allows you.", "token_rate_reached" },
    };

    [Theory]
    [MemberData(nameof(WhatLasts))]
    public async Task What_lasts_stops_the_client_at_once(string keys, int callsBefore, string shown, string reason)
    {
        await using var place = await Workplace.OpenAsync(change: setup => setup.AliceKeys = keys);
        for (var call = 0; call < callsBefore; call++)
        {
            Assert.Equal(0, (await place.AskAsync("hello")).ExitCode);
        }

        var run = await place.AskAsync("hello");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(shown, run.Printed, StringComparison.Ordinal);
        await place.Ccp.StopAsync();
        var lines = UsageLines.Completions(place.Ccp);
        Assert.Equal(callsBefore + 1, lines.Count);
        Assert.Equal(reason, lines[^1].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_stops_the_client_at_once()
    {
        await using var place = await Workplace.OpenAsync();
        place.Ccp.BreakStore();

        var run = await place.AskAsync("hello");

        place.Ccp.MendStore();
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("API Error: 503 ccp cannot write its ledger at the moment", run.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_is_too_large_is_named_as_such()
    {
        await using var place = await Workplace.OpenAsync(change: setup => setup.Server = """max_body = "64KiB" """);

        var run = await place.AskAsync(new string('x', 70_000));

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("Request too large", run.Printed, StringComparison.Ordinal);
        await place.Ccp.StopAsync();
        Assert.All(UsageLines.Completions(place.Ccp), line => Assert.Equal("body_too_large", line.GetProperty("reason").GetString()));
    }

    /// <summary>The client takes every 404 for a model that is not there, and hides what was said.</summary>
    [Fact]
    public async Task A_path_that_ccp_does_not_serve_is_shown_as_a_model_that_is_not_there()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["ANTHROPIC_BASE_URL"] = $"{place.Ccp.Address}nothing-here" });

        Assert.Equal(1, run.ExitCode);
        Assert.Equal(
            "There's an issue with the selected model (claude-opus-5-5). It may not exist or you may not have access to it. Run --model to pick a different model.", run.Printed);
        var books = await place.CloseAsync();
        Assert.Empty(books.Ended);
    }

    /// <summary>The client sends a 400 again and again, in case it helps, and then shows it.</summary>
    [Fact]
    public async Task A_request_that_ccp_cannot_read_is_shown_with_what_is_wrong_with_it()
    {
        await using var place = await Workplace.OpenAsync();

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["CLAUDE_CODE_EXTRA_BODY"] = """{"max_tokens":"many"}""" });

        Assert.Equal((1, "API Error: 400 \"max_tokens\" must be a whole number."), (run.ExitCode, run.Printed));
        var books = await place.CloseAsync();
        Assert.NotEmpty(books.Ended);
        Assert.All(books.Ended, line => Assert.Equal((400, "body_malformed"), (line.GetProperty("status").GetInt32(), Books.Text(line, "reason"))));
        Assert.Empty(books.Charges);
    }

    [Fact]
    public async Task A_lane_that_is_gone_for_a_moment_is_waited_for()
    {
        var asked = 0;
        await using var place = await Workplace.OpenAsync(request => Interlocked.Increment(ref asked) == 1 ? Script.Begin.Cut() : ClaudeCodeAnswers.Answer(request));

        await GoesOnAsync(place, () => place.AskAsync("hello"), "lane_unreachable");
    }

    [Fact]
    public async Task A_lane_that_failed_again_and_again_is_waited_for()
    {
        var clock = new ManualClock();
        var isWell = false;
        await using var place = await Workplace.OpenAsync(
            request => Volatile.Read(ref isWell) ? ClaudeCodeAnswers.Answer(request) : Answers.Overloaded(), change: setup => setup.Clock = clock);

        // The client sleeps for as long as it is told, and takes a while to start.
        const int PauseSeconds = 16;
        await FailingLane.UntilPauseAsync(place.Ccp, clock, PauseSeconds);
        Volatile.Write(ref isWell, true);

        await using var claude = place.Start("hello", []);
        Assert.True(SpinWait.SpinUntil(() => RefusalsSoFar(place) > 0, TimeSpan.FromSeconds(30)), "The client was not told to wait.");
        clock.Advance(TimeSpan.FromSeconds(PauseSeconds));
        await GoesOnAsync(place, claude.EndAsync, "lane_down_briefly");
    }

    [Fact]
    public async Task A_lane_known_to_be_down_stops_the_client_at_once()
    {
        var clock = new ManualClock();
        await using var place = await Workplace.OpenAsync(_ => Answers.Overloaded(), change: setup => setup.Clock = clock);
        var calls = await FailingLane.UntilPauseAsync(place.Ccp, clock, pauseSeconds: 60);

        var run = await place.AskAsync("hello");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("API Error: 503 The anthropic lane is down", run.Printed, StringComparison.Ordinal);
        await place.Ccp.StopAsync();
        var lines = UsageLines.Completions(place.Ccp);
        Assert.Equal(calls + 1, lines.Count);
        Assert.Equal("lane_down", lines[^1].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_rate_that_frees_itself_within_a_minute_is_waited_for()
    {
        await using var place = await Workplace.OpenAsync(change: setup => setup.AliceKeys = "limits = { requests_per_minute = 3 }");
        for (var call = 0; call < 3; call++)
        {
            using var answer = await place.Ccp.AskAsync();
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            await answer.Content.ReadAsStringAsync();
        }

        await GoesOnAsync(place, () => place.AskAsync("hello"), "request_rate_reached");
    }

    [Theory]
    [InlineData("limits = { concurrent = 1 }", "50", "concurrency_reached")]
    [InlineData("", "0.10", "funds_spoken_for")]
    public async Task What_a_call_in_progress_stands_in_the_way_of_is_waited_for(string keys, string balance, string reason)
    {
        var release = new Gate();
        await using var place = await Workplace.OpenAsync(
            request => request.BodyText.Contains("hold this", StringComparison.Ordinal) ? Answers.BeginStream().Send(SseEvents.Ping).WaitFor(release).Then(Script.Begin.Cut()) : ClaudeCodeAnswers.Answer(request),
            balance,
            setup => setup.AliceKeys = keys);
        using var held = await place.Ccp.AskAsync(text: "hold this", maxTokens: 8_000);

        await using var claude = place.Start("hello", []);
        Assert.True(SpinWait.SpinUntil(() => RefusalsSoFar(place) > 0, TimeSpan.FromSeconds(30)), "The client was not told to wait.");
        release.Open();
        await GoesOnAsync(place, claude.EndAsync, reason);
    }

    [Fact]
    public async Task A_stranger_who_tried_too_often_waits_and_is_then_told_that_the_token_is_not_valid()
    {
        await using var place = await Workplace.OpenAsync();
        for (var call = 0; call < 20; call++)
        {
            using var answer = await place.Ccp.AskAsync(token: Stranger);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["ANTHROPIC_AUTH_TOKEN"] = Stranger });

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("API Error: 401 This ccp token is not valid", run.Printed, StringComparison.Ordinal);
    }

    private static async Task GoesOnAsync(Workplace place, Func<Task<ClaudeRun>> ask, string reason)
    {
        var run = await ask();

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        await place.Ccp.StopAsync();
        var lines = UsageLines.Completions(place.Ccp);
        Assert.Contains(lines, line => line.GetProperty("reason").GetString() == reason);
        Assert.Contains(lines, line => line.GetProperty("reason").GetString() == "streaming");
    }

    private static int RefusalsSoFar(Workplace place)
    {
        var log = Path.Combine(place.Ccp.Home, "logs", "usage.jsonl");
        return File.Exists(log) ? new[] { "_reached\"", "funds_spoken_for\"", "lane_down_briefly\"" }.Sum(reason => File.ReadAllText(log).Split(reason).Length - 1) : 0;
    }
}
