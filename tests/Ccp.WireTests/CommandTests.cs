using System.Net;
using System.Text.RegularExpressions;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>What an operator reads: each command once, at a ccp that has served a call on each of its lanes.</summary>
public sealed class CommandTests
{
    private const string Haiku = "claude-haiku-4-5";
    private const string At = @"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d";

    private readonly List<string> _wrong = [];

    [Fact]
    public async Task Each_command_ends_well_and_shows_what_was_asked_for()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "What a command prints is seen on the executable.");
        await using var anthropic = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], new Usage(Input: 25, Output: 15)));
        await using var zai = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream("glm-4.5-air", ["hi"], new Usage(Input: 1_000, Output: 100)));
        await using var ccp = await CcpUnderTest.StartAsync(anthropic, change: setup => Configure(setup, zai.BaseUrl));
        await CallAsync(ccp, Haiku);
        var id = await CallAsync(ccp, CcpUnderTest.Model);

        // All is settled, and every line of the usage log is written.
        await ccp.StopAsync();
        await ccp.RunAsync();

        await SaysAsync(ccp, "check", "config.toml: no problems$");
        await SaysAsync(ccp, "balance alice", @"^alice: 49\.99898 USD \(available: 49\.99898, held by calls in progress: 0\.00\)$");
        await SaysAsync(ccp, "balance alice 50 --reference invoice-17", @"^alice: 99\.99898 USD \(before: 49\.99898\)$", @"^alice was topped up by 50\.00 USD\.$");
        await SaysAsync(ccp, "ledger show alice --limit 2", $@"^ 4  {At}  alice  topup +50\.00 +99\.99898  invoice-17 +host\n 3  {At}  alice  charge +-0\.0004 +49\.99898  {id}  ccp   claude-sonnet-5-5$");
        await SaysAsync(ccp, "ledger verify", @"^entries   4\naccounts  1\nhead id   4\nhead hash [0-9a-f]{64}\nEvery balance and every hash is right\.$");
        await SaysAsync(ccp, "ledger missing", @"^Every charge of the log is in the ledger\.$", "^2 charges of the last 5 minutes were left out");
        await SaysAsync(ccp, $"receipt {id}", $@"^request   {id}\nuser      alice\n(?s:.*)^output tokens  claude-sonnet-5-5 +15 +10  million  x 2\.0 markup +0\.0003\ncharge +0\.0004\nentry     3, charge of -0\.0004 USD, ");
        await SaysAsync(ccp, "requests alice --limit 1", $@"\n{id}  {At}  alice  claude-sonnet-5-5  complete  no +25 +0 +0 +15 +0\.0004\n$");
        await SaysAsync(ccp, "usage alice --by model", @"^claude-sonnet-5-5 +1 +25 +15 +0 +0 +0\.0004 +0\.0002$");
        await SaysAsync(ccp, "savings", @"^\d{4}-\d\d  claude-haiku-4-5  alice +1 +0\.00031 +0\.0015 +0\.00119\nall +1 +0\.00031 +0\.0015 +0\.00119$");
        await SaysAsync(ccp, "status", "^zai +claude-haiku-4-5 +1 +1000 +0 +0 +100 ");
        await SaysAsync(ccp, "pricing show house-*", $@"^house-1 +1 +1\.25 +2 +0\.1 +5 .* in force +.*\n  prompt above 200000 +2 .*\n  fast +6 ");
        await SaysAsync(ccp, "pricing explain house-1", @"\nFor example:\n(?s:.*)^charge +0\.014\nThe provider takes 0\.007 USD of it\.");
        await SaysAsync(ccp, $"refund {id} --note cut", @"^alice: 99\.99938 USD \(given back: 0\.0004\)$", $@"^0\.0004 USD of {id} were given back to alice\.$");
        await SaysAsync(ccp, "pricing rerate --since 1d --dry-run", @"^alice  claude-haiku-4-5 +1 +0 +0 +0\.00062 +0\.00062 +0\.00\nall ", @"^Left alone, refunded: 1\.\nThis was a dry run: nothing was posted\.$");
        await SaysAsync(ccp, "pricing rerate --since 1d --run fix-1", "^all +0 ", @"\nRun fix-1: adjustments posted: 0\.$");
        await SaysAsync(ccp, "pause", @"^zai +127\.0\.0\.1:\d+  auto +yes +yes +paused$", "^Paused by ccp pause: everything goes to the default lane");
        await SaysAsync(ccp, "lanes", @"^zai +127\.0\.0\.1:\d+  auto +yes +yes +paused$", "^Paused by ccp pause: ");
        await SaysAsync(ccp, "resume", @"^zai +127\.0\.0\.1:\d+  auto +yes +no +ready$");
        await SaysAsync(ccp, "reload", @"^Taken up: lanes, routes, quotas, keys and the pause\.$");
        await SaysAsync(ccp, "doctor", @"^ok +lane zai +127\.0\.0\.1:\d+ answers with 200$");
        await SaysAsync(ccp, "verify", @"^lines        4\ndecisions    2\ncompletions  2\nopen         0\nfindings     0$");
        await SaysAsync(ccp, "db check", @"^entries   5\naccounts  1\n(?s:.*)^Nothing is damaged, and every balance and every hash is right\.$");
        await SaysAsync(ccp, "license status", "^edition   Community$");
        await SaysAsync(ccp, "user add bob", "^[0-9a-f-]{36}$", "^bob was added");
        await SaysAsync(ccp, "user update bob --disabled true", "^$", "^bob: disabled");
        await SaysAsync(ccp, "user list", @"^alice +no +active +99\.99938 +2 +1140 +no ");
        await SaysAsync(ccp, "user token bob", "^[0-9a-f-]{36}$", "^bob: new token");
        await SaysAsync(ccp, "user delete bob --yes", "^$", "^bob was deleted");
        await SaysAsync(ccp, "env", @"^export ANTHROPIC_BASE_URL='http://127\.0\.0\.1:8082'$", "^No access token is in these lines");
        await SaysAsync(ccp, "version", @"^\d+\.\d+\.\d+");

        Assert.True(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    private static void Configure(CcpSetup setup, Uri zai)
    {
        setup.Environment["ZAI_API_KEY"] = "zai-key";
        setup.More = $$"""
            [[lane]]
            name = "zai"
            base_url = "{{zai.AbsoluteUri.TrimEnd('/')}}"
            requires = ""
            [[price]]
            model = "house-1"
            input = 1
            output = 5
            cache_read = 0.1
            above = { prompt_tokens = 200000, input = 2, output = 7.5 }
            fast = { input = 6, output = 30 }
            """;
    }

    private static async Task<string> CallAsync(CcpUnderTest ccp, string model)
    {
        using var answer = await ccp.AskAsync(model: model);
        await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return answer.Headers.GetValues("x-ccp-request-id").Single();
    }

    /// <param name="data">What standard output has, with ^ and $ for the ends of lines.</param>
    /// <param name="remark">The same of standard error; by default nothing may be there.</param>
    private async Task SaysAsync(CcpUnderTest ccp, string command, string data, string remark = @"\A\z")
    {
        var run = await NativeCcp.CommandAsync(ccp.Home, command.Split(' '));
        if (run.ExitCode != 0 || !Regex.IsMatch(run.Output, data, RegexOptions.Multiline) || !Regex.IsMatch(run.Errors, remark, RegexOptions.Multiline))
        {
            _wrong.Add($"ccp {command} ended with {run.ExitCode}:\n{run.Output}{run.Errors}");
        }
    }
}
