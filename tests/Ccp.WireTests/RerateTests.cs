using System.Net;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>Calls that really were made, charged by lanes that a reload changed, and rerated without a restart.</summary>
public sealed class RerateTests
{
    private const string Asked = "claude-haiku-zz";

    /// <summary>The second call is right as it is; the first one was charged by a price that the lane has no longer.</summary>
    [Fact]
    public async Task A_rerate_goes_by_the_lanes_that_calls_are_charged_by()
    {
        await using var own = await ServeAsync();
        await using var ccp = await StartAsync(own, "price_as = \"claude-haiku-4-5\"");
        await AskAsync(ccp);
        await ReloadAsync(ccp, own, "price_as = \"claude-opus-4-5\"");
        await AskAsync(ccp);

        Assert.Equal("1 0.018 0.03 0.012", await DryRunAsync(ccp, calls: 2));
    }

    [Fact]
    public async Task A_rerate_charges_no_call_as_a_model_that_the_map_has_now()
    {
        await using var own = await ServeAsync();
        await using var ccp = await StartAsync(own, $"model_map = {{ \"{Asked}\" = \"claude-haiku-4-5\" }}");
        await AskAsync(ccp);
        await ReloadAsync(ccp, own, $"model_map = {{ \"{Asked}\" = \"claude-opus-4-1\" }}");

        Assert.Equal("0 0.003 0.003 0", await DryRunAsync(ccp, calls: 1));
        Assert.Equal("claude-haiku-4-5", Assert.Single(own.Requests).Json().GetProperty("model").GetString());
    }

    private static Task<ScriptedUpstreamServer> ServeAsync() =>
        ScriptedUpstreamServer.StartAsync(_ => Answers.Message("claude-haiku-4-5", "hi", new Usage(Input: 1_000, Output: 100)));

    private static Task<CcpUnderTest> StartAsync(ScriptedUpstreamServer own, string lane) => CcpUnderTest.StartAsync(own, change: setup =>
    {
        setup.Environment["OWN_KEY"] = "own-key";
        setup.More = Own(own, lane);
    });

    private static string Own(ScriptedUpstreamServer own, string lane) =>
        $"""
        [[lane]]
        name = "own"
        base_url = "{own.BaseUrl.AbsoluteUri.TrimEnd('/')}"
        key = "env:OWN_KEY"
        {lane}
        [[route]]
        model = "*"
        lane = "own"
        """;

    private static async Task ReloadAsync(CcpUnderTest ccp, ScriptedUpstreamServer own, string lane)
    {
        ccp.Setup.More = Own(own, lane);
        ccp.RewriteConfig();
        var (_, outcome) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/reload");
        Assert.True(outcome.GetProperty("ok").GetBoolean(), outcome.ToString());
    }

    private static async Task AskAsync(CcpUnderTest ccp)
    {
        using var answer = await ccp.AskAsync(stream: false, model: Asked);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Once all calls are on disk, which is after their answers.</summary>
    /// <returns>Those to correct, what was charged, what would be, the difference.</returns>
    private static async Task<string> DryRunAsync(CcpUnderTest ccp, int calls)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        JsonElement found;
        do
        {
            limit.Token.ThrowIfCancellationRequested();
            (_, found) = await ccp.AdministerAsync(HttpMethod.Post, "/admin/pricing/rerate", """{"since":"1d","dryRun":true}""");
        }
        while (found.GetProperty("requests").GetInt32() < calls);
        return string.Join(' ', new[] { "corrected", "chargedDollars", "wouldBeDollars", "differenceDollars" }.Select(name => found.GetProperty(name).GetRawText()));
    }
}
