using System.Globalization;
using System.Text.Json;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>The drill of docs/recovery.md, with the commands an operator would type.</summary>
public sealed class RecoveryTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Fact]
    public async Task A_store_is_backed_up_while_it_serves_restored_when_it_does_not_and_the_usage_log_names_what_is_missing()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "What commands do is seen on the executable.");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.Stream(CcpUnderTest.Model, ["hi"], Small));
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        await CallAsync(ccp);
        await UntilAsync(() => ccp.Store.Charges.Count == 1);

        // The path is the caller's, not the server's.
        var name = $"ccp-backup-{Guid.NewGuid():N}.db";
        var backup = Path.Combine(Path.GetTempPath(), name);
        try
        {
            var made = await NativeCcp.CommandAsync(ccp.Home, "db", "backup", name);
            Assert.True(made.ExitCode == 0, made.Errors);
            Assert.Contains("every balance and every hash in it is right", made.Output, StringComparison.Ordinal);
            Assert.Contains(Path.Combine(ccp.Home, "master.key"), made.Errors, StringComparison.Ordinal);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(backup));
            Assert.Equal(1, (await NativeCcp.CommandAsync(ccp.Home, "db", "backup", backup)).ExitCode);
            Assert.Equal(0, (await NativeCcp.CommandAsync(ccp.Home, "db", "check")).ExitCode);

            var lost = await CallAsync(ccp);
            var refused = await NativeCcp.CommandAsync(ccp.Home, "db", "restore", backup, "--yes");
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("in use by another ccp", refused.Errors, StringComparison.Ordinal);
            await ccp.StopAsync();
            Assert.Equal(2, (await NativeCcp.CommandAsync(ccp.Home, "db", "restore", backup)).ExitCode);

            // Another host, or one whose key is lost: the backup alone opens nothing.
            File.Move(Path.Combine(ccp.Home, "master.key"), Path.Combine(ccp.Home, "kept.key"));
            var keyless = await NativeCcp.CommandAsync(ccp.Home, "db", "restore", backup, "--yes");
            Assert.Equal(1, keyless.ExitCode);
            Assert.Contains("There is no master key", keyless.Errors, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(ccp.Home, "master.key")));
            File.Move(Path.Combine(ccp.Home, "kept.key"), Path.Combine(ccp.Home, "master.key"));

            Assert.Equal(0, (await NativeCcp.CommandAsync(ccp.Home, "db", "restore", backup, "--check")).ExitCode);
            var restored = await NativeCcp.CommandAsync(ccp.Home, "db", "restore", backup, "--yes");
            Assert.True(restored.ExitCode == 0, restored.Errors);
            Assert.Contains("It has 1 entries that come after the backup", restored.Output, StringComparison.Ordinal);
            await ccp.RunAsync();
            Assert.DoesNotContain(ccp.Store.Charges, charge => charge.Reference == lost);
            Assert.Single(ccp.Store.Charges);
            var line = Assert.Single(File.ReadLines(Path.Combine(ccp.Home, "logs", "usage.jsonl")), line => line.Contains(lost, StringComparison.Ordinal) && line.Contains("charge_usd", StringComparison.Ordinal));
            Assert.Equal("0.0004", JsonDocument.Parse(line).RootElement.GetProperty("charge_usd").GetRawText());

            // The log as it was saved some time ago: what ended just now is left out.
            var saved = Path.Combine(ccp.Home, "saved.jsonl");
            File.WriteAllText(saved, "{\"ts\":1" + line[line.IndexOf(",\"rid\"", StringComparison.Ordinal)..]);
            var posted = await NativeCcp.CommandAsync(ccp.Home, "ledger", "missing", saved, "--post");
            Assert.True(posted.ExitCode == 0, posted.Errors);
            Assert.Contains(lost, posted.Output, StringComparison.Ordinal);
            Assert.Contains("Every charge of the log is in the ledger", (await NativeCcp.CommandAsync(ccp.Home, "ledger", "missing", saved, "--post")).Output, StringComparison.Ordinal);
            await CallAsync(ccp);
            Assert.Equal(0, (await NativeCcp.CommandAsync(ccp.Home, "ledger", "verify")).ExitCode);
        }
        finally
        {
            File.Delete(backup);
        }
    }

    [Fact]
    public async Task What_recovery_charged_after_the_backup_is_found_in_the_usage_log_as_well()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "What a kill leaves is seen on the executable.");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(_ => Answers.BeginStream()
            .Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta(new string('x', 640))).Hang());
        await using var ccp = await CcpUnderTest.StartAsync(upstream);
        var backup = Path.Combine(Path.GetTempPath(), $"ccp-backup-{Guid.NewGuid():N}.db");
        try
        {
            Assert.Equal(0, (await NativeCcp.CommandAsync(ccp.Home, "db", "backup", backup)).ExitCode);

            // Killed once the decision and the 200 tokens are on disk.
            using var answer = await ccp.AskAsync();
            var id = answer.Headers.GetValues("x-ccp-request-id").Single();
            await UntilAsync(() => File.Exists(LogOf(ccp)) && File.ReadAllText(LogOf(ccp)).Contains(id, StringComparison.Ordinal) && ccp.Store.OpenHolds.Single().Tokens.Output == 200);
            await ((NativeCcp)ccp).KillAsync();
            await ccp.RunAsync();
            await UntilAsync(() => UsageLines.Completions(ccp).Count == 1);

            var charge = Assert.Single(ccp.Store.Charges);
            var line = UsageLines.Completions(ccp).Single();
            Assert.Equal((id, id), (charge.Reference, line.GetProperty("rid").GetString()));
            Assert.Equal(
                $"200 alice anthropic {CcpUnderTest.Model} crash True 25 200 {-charge.Amount.ToUsd()}",
                string.Create(CultureInfo.InvariantCulture, $"{line.GetProperty("status")} {line.GetProperty("user")} {line.GetProperty("lane")} {line.GetProperty("model")} {line.GetProperty("reason")} {line.GetProperty("estimated")} {line.GetProperty("input_tokens")} {line.GetProperty("output_tokens")} {line.GetProperty("charge_usd")}"));
            var verified = await NativeCcp.CommandAsync(ccp.Home, "verify");
            Assert.True(verified.ExitCode == 0, verified.Output);
            Assert.Contains("open         0", verified.Output, StringComparison.Ordinal);

            await ccp.StopAsync();
            Assert.Equal(0, (await NativeCcp.CommandAsync(ccp.Home, "db", "restore", backup, "--yes")).ExitCode);
            await ccp.RunAsync();
            Assert.Empty(ccp.Store.Charges);

            // The log as it was saved some time ago: what ended just now is left out.
            var saved = Path.Combine(ccp.Home, "saved.jsonl");
            var text = line.GetRawText();
            File.WriteAllText(saved, "{\"ts\":1" + text[text.IndexOf(",\"rid\"", StringComparison.Ordinal)..]);
            var posted = await NativeCcp.CommandAsync(ccp.Home, "ledger", "missing", saved, "--post");
            Assert.True(posted.ExitCode == 0, posted.Errors);
            Assert.Contains(id, posted.Output, StringComparison.Ordinal);
            Assert.Equal(CcpSetup.Dollars("50") + charge.Amount, ccp.Store.BalanceOfAlice);
            Assert.Contains("Every charge of the log is in the ledger", (await NativeCcp.CommandAsync(ccp.Home, "ledger", "missing", saved, "--post")).Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(backup);
        }
    }

    private static string LogOf(CcpUnderTest ccp) => Path.Combine(ccp.Home, "logs", "usage.jsonl");

    /// <returns>The id of the call.</returns>
    private static async Task<string> CallAsync(CcpUnderTest ccp)
    {
        using var answer = await ccp.AskAsync();
        await answer.Content.ReadAsStringAsync();
        return answer.Headers.GetValues("x-ccp-request-id").Single();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "What the test waits for did not happen.");
            await Task.Yield();
        }
    }
}
