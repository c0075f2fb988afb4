using System.Globalization;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.Tests.Shared;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>
/// Goal: <c>/metrics</c> says what happened, to the token and to the billionth of a dollar, to operators only.
/// Method: calls of every kind; then each number is compared with the usage log and with the ledger, which come about apart from it.
/// </summary>
public sealed class MetricsTests
{
    private const string Haiku = "claude-haiku-4-5";

    private static readonly Usage Plain = new(Input: 1_001, Output: 103);
    private static readonly Usage Cached = new(Input: 7, Output: 11, CacheWrite5m: 13, CacheWrite1h: 17, CacheRead: 1_900);

    [Fact]
    public async Task The_numbers_are_those_of_the_ledger_and_of_the_usage_log()
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var zai = await ScriptedUpstreamServer.StartAsync(request => Says(request, "fall") ? Answers.Error(500, "api_error", "no") : Answer(request));
        await using var ccp = await StartAsync(anthropic, zai);

        await ReadAsync(ccp.AskAsync(stream: false), 200);
        await ReadAsync(ccp.AskAsync(text: "cached"), 200);
        await ReadAsync(ccp.AskAsync(model: Haiku), 200);
        await ReadAsync(ccp.AskAsync(model: Haiku, text: "fall"), 200);
        await ReadAsync(ccp.AskAsync(text: "wrong"), 400);
        await ReadAsync(ccp.AskAsync(token: "not-a-token"), 401);
        await ReadAsync(ccp.AskAsync(model: "claude-without-a-price"), 403);
        await ReadAsync(ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/other")), 404);
        var metrics = await ccp.MetricsAtRestAsync();
        await ccp.StopAsync();

        var lines = UsageLines.Completions(ccp);
        Assert.Equal(Sums(lines, line => $"{{lane=\"{Lane(line)}\",outcome=\"{line.GetProperty("reason").GetString()}\"}}", _ => 1), Sorted(metrics, "ccp_calls_total"));
        Assert.Equal(7, metrics.Family("ccp_calls_total").Values.Sum());
        Assert.Equal(1, metrics["ccp_calls_total{lane=\"anthropic\",outcome=\"ok\"}"]);
        Assert.Equal(1, metrics["ccp_calls_total{lane=\"\",outcome=\"token_unknown\"}"]);
        Assert.Equal(
            [new("{code=\"model_not_priced\"}", 1), new("{code=\"token_unknown\"}", 1), new("{code=\"unknown_path\"}", 1)],
            Sorted(metrics, "ccp_refusals_total"));
        Assert.Equal([new("{lane=\"zai\",reason=\"fallback\"}", 1)], Sorted(metrics, "ccp_fallbacks_total"));
        Assert.Equal(
            Sums(lines.Where(line => line.TryGetProperty("ttft_ms", out _)), line => $"{{lane=\"{Lane(line)}\"}}", _ => 1),
            Sorted(metrics, "ccp_time_to_first_byte_seconds_count"));

        // By lane as in the usage log, and in all as on disk.
        var served = lines.Where(line => line.TryGetProperty("charge_usd", out _)).ToList();
        Assert.Equal(4, served.Count);
        Assert.Equal(Sums(served, line => $"{{lane=\"{Lane(line)}\"}}", line => line.GetProperty("charge_usd").GetDecimal()), Sorted(metrics, "ccp_charged_usd_total"));
        Assert.Equal(Sums(served, line => $"{{lane=\"{Lane(line)}\"}}", line => line.GetProperty("cost_usd").GetDecimal()), Sorted(metrics, "ccp_upstream_cost_usd_total"));
        Assert.Equal(-ccp.Store.Charges.Sum(entry => entry.Amount.ToUsd()), metrics.Family("ccp_charged_usd_total").Values.Sum());
        Assert.Equal(ccp.Store.Requests.Sum(record => record.Cost.ToUsd()), metrics.Family("ccp_upstream_cost_usd_total").Values.Sum());
        var records = ccp.Store.Requests;
        Assert.Equal(
            [records.Sum(record => record.Tokens.CacheRead), records.Sum(record => record.Tokens.CacheWrite1h), records.Sum(record => record.Tokens.CacheWrite5m), records.Sum(record => record.Tokens.Input), records.Sum(record => record.Tokens.Output)],
            new[] { "cache_read", "cache_write_1h", "cache_write_5m", "input", "output" }.Select(kind => Tokens(metrics, kind)));
        Assert.Equal((3 * 1_001) + 7, Tokens(metrics, "input"));
        Assert.Equal((1_900, 17, 13), (Tokens(metrics, "cache_read"), Tokens(metrics, "cache_write_1h"), Tokens(metrics, "cache_write_5m")));
        Assert.Equal(1_001, metrics["ccp_tokens_total{lane=\"zai\",class=\"input\"}"]);
        Assert.Equal("histogram", metrics.Types["ccp_time_to_first_byte_seconds"]);
    }

    [Fact]
    public async Task A_call_is_in_flight_until_its_answer_has_ended()
    {
        var goOn = new Gate();
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream().Send(SseEvents.MessageStart(CcpUnderTest.Model, Plain))
            .WaitFor(goOn).Send(SseEvents.MessageDelta(Plain)).Send(SseEvents.MessageStop));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);

        var answer = await ccp.AskAsync();
        var during = await ccp.MetricsAsync();
        goOn.Open();
        await ReadAsync(Task.FromResult(answer), 200);

        Assert.Equal((1, 0), (during["ccp_calls_in_flight"], during.Family("ccp_calls_total").Count));
        Assert.Equal(1, (await ccp.MetricsAtRestAsync())["ccp_calls_total{lane=\"anthropic\",outcome=\"streaming\"}"]);
    }

    [Fact]
    public async Task Only_the_token_of_an_admin_opens_it_over_tcp()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        var (status, made) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/users", """{"username":"prometheus","isAdmin":true}""");
        Assert.Equal(201, status);

        using var stranger = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/metrics", token: null));
        using var user = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/metrics"));
        using var admin = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/metrics", made.GetProperty("token").GetString()));

        Assert.Equal((401, 403, 200), ((int)stranger.StatusCode, (int)user.StatusCode, (int)admin.StatusCode));
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", admin.Content.Headers.ContentType?.ToString());
        Assert.DoesNotContain("ccp_", await stranger.Content.ReadAsStringAsync() + await user.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(1, new MetricsText(await admin.Content.ReadAsStringAsync())["ccp_store_writable"]);
    }

    [Fact]
    public async Task What_clients_make_up_makes_no_new_series()
    {
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup => setup.Auth = "failed_attempts_per_minute = 100000");
        async Task AskAsync(string made)
        {
            await ReadAsync(ccp.AskAsync(model: $"model-{made}"), 403);
            await ReadAsync(ccp.AskAsync(token: $"token-{made}"), 401);
            await ReadAsync(ccp.SendAsync(ccp.Request(HttpMethod.Get, $"/path-{made}")), 404);
            var request = ccp.Request(HttpMethod.Post, "/v1/messages", body: CcpUnderTest.Body(text: "cached"));
            request.Headers.Add("x-claude-code-session-id", $"session-{made}");
            request.Headers.Add("x-claude-code-agent-id", $"agent-{made}");
            await ReadAsync(ccp.SendAsync(request), 200);
        }

        await AskAsync("up-0");
        var few = await ccp.MetricsAtRestAsync();
        for (var made = 1; made <= 20; made++)
        {
            await AskAsync($"up-{made}");
        }

        var many = await ccp.MetricsAtRestAsync();
        Assert.Equal(few.Text.Split('\n').Select(line => line.Split(' ')[0]), many.Text.Split('\n').Select(line => line.Split(' ')[0]));
        Assert.Equal(21, many["ccp_refusals_total{code=\"token_unknown\"}"]);
        Assert.DoesNotContain("up-", many.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", many.Text, StringComparison.Ordinal);
    }

    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer anthropic, ScriptedUpstreamServer zai) => CcpUnderTest.StartAsync(anthropic, change: setup =>
    {
        setup.Environment["ZAI_API_KEY"] = "zai-key";
        setup.More = $"""
            [[lane]]
            name = "zai"
            base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
            requires = ""
            """;
    });

    private static Script Answer(RecordedRequest request)
    {
        var model = request.Json().GetProperty("model").GetString()!;
        return Says(request, "wrong") ? Answers.Error(400, "invalid_request_error", "no")
            : Says(request, "\"stream\":true") ? Answers.Stream(model, ["hi"], Says(request, "cached") ? Cached : Plain)
            : Answers.Message(model, "hi", Plain);
    }

    private static bool Says(RecordedRequest request, string what) => request.BodyText.Contains(what, StringComparison.Ordinal);

    private static string Lane(JsonElement line) => line.TryGetProperty("lane", out var lane) ? lane.GetString()! : "";

    private static decimal Tokens(MetricsText metrics, string kind) =>
        metrics.Family("ccp_tokens_total").Where(sample => sample.Key.EndsWith($"class=\"{kind}\"}}", StringComparison.Ordinal)).Sum(sample => sample.Value);

    private static IEnumerable<KeyValuePair<string, decimal>> Sums(IEnumerable<JsonElement> lines, Func<JsonElement, string> key, Func<JsonElement, decimal> number) =>
        lines.GroupBy(key).Select(group => KeyValuePair.Create(group.Key, group.Sum(number))).OrderBy(sum => sum.Key, StringComparer.Ordinal);

    private static IEnumerable<KeyValuePair<string, decimal>> Sorted(MetricsText metrics, string family) => metrics.Family(family).OrderBy(sample => sample.Key, StringComparer.Ordinal);

    private static async Task ReadAsync(Task<HttpResponseMessage> asked, int status)
    {
        using var answer = await asked;
        var said = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, string.Create(CultureInfo.InvariantCulture, $"{(int)answer.StatusCode} {said}"));
    }
}
