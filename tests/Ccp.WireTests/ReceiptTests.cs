using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>A receipt of a call that really was made: what the stream said, taken apart, comes to what was charged.</summary>
public sealed class ReceiptTests
{
    private const string Bob = "3f0c9a52-7f8e-4d1b-9d43-0f8f5f0c2b11";

    private static readonly string FinalUsage =
        """{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":9,"output_tokens":9,"service_tier":"batch","inference_geo":"us","server_tool_use":{"web_search_requests":3},"iterations":[{"type":"message","input_tokens":7,"output_tokens":3},{"type":"advisor_message","model":"claude-opus-5-5","input_tokens":1001,"output_tokens":13}]}}""";

    [Fact]
    public async Task A_user_finds_the_receipt_by_the_id_of_the_answer_and_nobody_else_does()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, new Usage(Input: 9, Output: 1)))
            .Send(SseEvents.TextStart()).Send(SseEvents.TextDelta("hi")).Send(SseEvents.BlockStop())
            .Send(SseEvents.Event("message_delta", FinalUsage)).Send(SseEvents.MessageStop).End());
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.More =
            $"""
            [[user]]
            name = "bob"
            token_sha256 = "{CcpSetup.HashOf(Bob)}"
            """);
        using var answer = await ccp.AskAsync();
        await answer.Content.ReadAsStringAsync();
        var id = answer.Headers.GetValues("x-ccp-request-id").Single();

        var receipt = await WhenChargedAsync(ccp, id);

        // Batch and region are on tokens: (7 x 2 + 3 x 10 + 1001 x 4 + 13 x 20) x 0.55 + 3 searches at 10 000 millionths, twice.
        var lines = receipt.GetProperty("lines").EnumerateArray().ToList();
        Assert.Equal(0.0647388m, lines.Sum(line => line.GetProperty("usd").GetDecimal()));
        Assert.Equal(-0.0647388m, Assert.Single(ccp.Store.Charges).Amount.ToUsd());
        Assert.Equal(["input 1", "output 1", "input 2", "output 2", "web_searches "], lines.Select(line => $"{line.GetProperty("item")} {line.GetProperty("pass")}"));
        using var atTheAdmins = await ccp.SendAsync(ccp.Request(HttpMethod.Get, $"/admin/requests/{id}/receipt"));
        Assert.Equal(receipt.GetRawText(), await atTheAdmins.Content.ReadAsStringAsync());
        using var strangersThere = await ccp.SendAsync(ccp.Request(HttpMethod.Get, $"/admin/requests/{id}/receipt", Bob));
        Assert.Equal(HttpStatusCode.NotFound, strangersThere.StatusCode);
        using var strangers = await ccp.SendAsync(ccp.Request(HttpMethod.Get, $"/user/requests/{id}/receipt", Bob));
        using var nobodys = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/user/requests/req_0/receipt", Bob));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (strangers.StatusCode, nobodys.StatusCode));
        Assert.Equal(await nobodys.Content.ReadAsStringAsync(), await strangers.Content.ReadAsStringAsync());
    }

    /// <summary>A kill at this moment leaves the row, and recovery charges what it says.</summary>
    [Fact]
    public async Task Once_the_final_numbers_are_in_the_hold_on_disk_comes_to_what_is_settled()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, new Usage(Input: 9, Output: 1)))
            .Send(SseEvents.TextStart()).Send(SseEvents.TextDelta("hi")).Send(SseEvents.BlockStop())
            .Send(SseEvents.Event("message_delta", FinalUsage)).WaitFor(goOn).Send(SseEvents.MessageStop).End());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        using var answer = await ccp.AskAsync();

        var hold = ccp.Store.OpenHolds.Single();
        var since = Stopwatch.GetTimestamp();
        while (hold.Final is null)
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(10), $"The hold stays at {hold.Charge}.");
            hold = ccp.Store.OpenHolds.Single();
        }

        goOn.Open();
        await answer.Content.ReadAsStringAsync();
        await ccp.StopAsync();

        Assert.Equal(0.0647388m, hold.Charge.ToUsd());
        Assert.Equal(-hold.Charge, Assert.Single(ccp.Store.Charges).Amount);
        var record = Assert.Single(ccp.Store.Requests);
        Assert.Equal((record.Tokens, record.Cost, record.Charge), (hold.Tokens, hold.Cost, hold.Charge));
        Assert.True(hold.Final.IsExact);
    }

    [Fact]
    public async Task A_call_that_was_cut_off_by_a_kill_has_a_receipt_too()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "Only a process of its own can be killed.");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, new Usage(Input: 25, Output: 1))).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta("hello")).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        using var answer = await ccp.AskAsync();
        var id = answer.Headers.GetValues("x-ccp-request-id").Single();
        await ((NativeCcp)ccp).KillAsync();
        await ccp.RunAsync();

        var receipt = await WhenChargedAsync(ccp, id);

        var charge = Assert.Single(ccp.Store.Charges);
        Assert.Equal(-charge.Amount.ToUsd(), receipt.GetProperty("lines").EnumerateArray().Sum(line => line.GetProperty("usd").GetDecimal()));
        Assert.Equal(("crash", true), (receipt.GetProperty("ended").GetString(), receipt.GetProperty("estimated").GetBoolean()));
        Assert.Equal(charge.Id, receipt.GetProperty("entry").GetProperty("id").GetInt64());
    }

    /// <summary>The last byte of an answer is there a moment before its charge: until then the receipt says that the call is in progress.</summary>
    private static async Task<JsonElement> WhenChargedAsync(CcpUnderTest ccp, string id)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            using var answer = await ccp.SendAsync(ccp.Request(HttpMethod.Get, $"/user/requests/{id}/receipt"));
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                return JsonDocument.Parse(text).RootElement;
            }

            Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
            Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(10), text);
        }
    }
}
