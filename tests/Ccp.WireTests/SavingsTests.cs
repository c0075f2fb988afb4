using System.Net;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>What calls that really were made on another lane saved.</summary>
public sealed class SavingsTests
{
    [Fact]
    public async Task Calls_on_another_lane_are_compared_with_the_default_one_and_its_own_calls_are_not()
    {
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream("claude-sonnet-5-5", ["hi"], new Usage(Input: 7, Output: 7)));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream("glm-4.5-air", ["hi"], new Usage(Input: 1_000, Output: 100)));
        await using var ccp = await CcpUnderTest.StartAsync(anthropic, change: setup =>
        {
            setup.Environment["ZAI_API_KEY"] = "zai-key";
            setup.More =
                $"""
                [[lane]]
                name = "zai"
                base_url = "{zai.BaseUrl.AbsoluteUri.TrimEnd('/')}"
                requires = ""
                """;
        });
        foreach (var model in new[] { "claude-haiku-4-5", "claude-haiku-5-5", "claude-sonnet-5-5", "claude-haiku-4-5" })
        {
            using var answer = await ccp.AskAsync(model: model);
            await answer.Content.ReadAsStringAsync();
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        // All is settled.
        await ccp.StopAsync();
        await ccp.RunAsync();
        var (status, found) = await ccp.AdministerAsync(HttpMethod.Get, "/admin/savings?since=30d");

        // 310 millionths each where they went; 1500 as one haiku, 150 as the other.
        Assert.Equal(200, status);
        Assert.Equal(["claude-haiku-4-5 2 0.00062 0.003 0.00238", "claude-haiku-5-5 1 0.00031 0.00015 -0.00016"], found.GetProperty("lines").EnumerateArray().Select(Line));
        Assert.Equal(("0.00222", 3), (found.GetProperty("savedDollars").GetRawText(), found.GetProperty("compared").GetInt32()));
        using var asked = await ccp.SendAsync(ccp.Request(HttpMethod.Get, "/admin/savings"));
        Assert.Equal(HttpStatusCode.Forbidden, asked.StatusCode);
    }

    private static string Line(JsonElement line) =>
        string.Join(' ', new[] { "model", "requests", "laneCostDollars", "defaultLaneCostDollars", "savedDollars" }.Select(name => line.GetProperty(name).ToString()));
}
