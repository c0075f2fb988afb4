using Ccp.EndToEnd.Hosting;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.EndToEnd;

/// <summary>The real client and a ccp that asks nobody for a token.</summary>
public sealed class LocalModeTests
{
    private const string MadeUp = "made-up-because-the-client-wants-one";

    [Fact]
    public async Task The_client_is_served_with_a_made_up_token_and_what_it_used_is_the_local_user_s()
    {
        await using var place = await Workplace.OpenAsync(balance: "0", change: setup => setup.Auth = "mode = \"local\"");

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["ANTHROPIC_AUTH_TOKEN"] = MadeUp });

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        var calls = place.Upstream.Requests.Count;
        Assert.True(calls > 0);
        Assert.All(place.Upstream.Requests, request => Assert.Equal((CcpUnderTest.TeamKey, null), (request.Header("x-api-key"), request.Header("authorization"))));

        // As an operator looks at it, on the host of a running ccp.
        Assert.Matches(@"warning +auth +auth\.mode is local", await CcpCommand.RunAsync(place.Ccp, "doctor"));
        Assert.Contains("local", await CcpCommand.RunAsync(place.Ccp, "usage"), StringComparison.Ordinal);
        Assert.Matches(@"(?m)^local ", await CcpCommand.RunAsync(place.Ccp, "user", "list"));
        var check = await CcpCommand.RunAsync(place.Ccp, "check", "--config", Path.Combine(place.Ccp.Home, "config.toml"));
        Assert.Contains("auth.mode is local: whoever reaches ccp", check, StringComparison.Ordinal);

        await place.Ccp.StopAsync();
        Assert.Empty(place.Upstream.Faults);
        var lines = UsageLines.Completions(place.Ccp);
        Assert.Equal(calls, lines.Count);
        Assert.All(lines, line => Assert.Equal(("local", 200, 0m), (Books.Text(line, "user"), line.GetProperty("status").GetInt32(), line.GetProperty("charge_usd").GetDecimal())));
        Assert.Empty(place.Ccp.Store.Charges);
        Assert.Equal(lines.Count, place.Ccp.Store.Requests.Count);
        Assert.DoesNotContain(MadeUp, File.ReadAllText(Path.Combine(place.Ccp.Home, "logs", "usage.jsonl")) + place.Ccp.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_any_credential_the_client_asks_for_a_login_itself()
    {
        await using var place = await Workplace.OpenAsync(balance: "0", change: setup => setup.Auth = "mode = \"local\"");

        var run = await place.AskAsync("hello", new Dictionary<string, string> { ["ANTHROPIC_AUTH_TOKEN"] = "" });

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("/login", run.Printed, StringComparison.Ordinal);
        Assert.Empty(place.Upstream.Requests);
    }

    /// <summary>What local mode refuses is what browsers and proxies send: the client sends none of it.</summary>
    [Fact]
    public async Task The_client_sends_nothing_that_local_mode_refuses()
    {
        await using var place = await Workplace.OpenAsync();

        // Not through ccp, which would keep those headers to itself.
        var run = await place.AskAsync("hello", new Dictionary<string, string>
        {
            ["ANTHROPIC_BASE_URL"] = place.Upstream.BaseUrl.GetLeftPart(UriPartial.Authority),
            ["CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"] = "1",
        });

        Assert.Equal((0, ClaudeCodeAnswers.Greeting), (run.ExitCode, run.Printed));
        Assert.All(place.Upstream.Requests, request =>
        {
            Assert.StartsWith("127.0.0.1:", request.Header("host"), StringComparison.Ordinal);
            Assert.DoesNotContain(request.Headers, header => header.Name.ToLowerInvariant() is "origin" or "sec-fetch-site" or "forwarded" or "x-real-ip" or "via" or ['x', '-', 'f', 'o', 'r', 'w', ..]);
        });
    }
}
