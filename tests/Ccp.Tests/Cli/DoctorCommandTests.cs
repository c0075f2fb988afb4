using System.Text.Json;
using Ccp.Admin;
using Ccp.Cli;
using Ccp.Configuration;
using Ccp.Tests.Configuration;
using Ccp.Tests.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Cli;

public sealed class DoctorCommandTests
{
    [Fact]
    public void Without_a_server_what_the_file_warns_of_is_found_all_the_same()
    {
        var answer = DoctorCommand.WithoutServer(
            Answer(new("configuration", FindingView.Ok, "no problems"), new("store", FindingView.Ok, "well"), new("lanes", FindingView.Warning, "paused")),
            [new ConfigProblem("config.toml", null, null, "odd"), new ConfigProblem("config.toml", null, null, "odder")]);

        using var view = JsonDocument.Parse(answer.Body);
        Assert.True(view.RootElement.GetProperty("ok").GetBoolean());
        Assert.Equal(
            ["server warning", "configuration warning", "configuration warning", "store ok", "lanes warning"],
            view.RootElement.GetProperty("findings").EnumerateArray().Select(finding => $"{finding.GetProperty("topic")} {finding.GetProperty("level")}"));
        Assert.Contains("config.toml: odd", view.RootElement.GetProperty("findings")[1].GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", true, "configuration ok")]
    [InlineData("paused = 7", false, "configuration problem")]
    [InlineData("[storage]\npath = 'nowhere/ccp.db'", false, "store problem")]
    public async Task That_no_server_runs_is_found_beside_whatever_else_is(string toml, bool isOk, string then)
    {
        SQLitePCL.Batteries_V2.Init();
        using var folder = new TempFolder();
        await Till.Open(Configured.Good(""), DataDirectory.At(folder.Path), null, TimeProvider.System, NullLogger.Instance).DisposeAsync();
        await File.WriteAllTextAsync(folder["config.toml"], toml, TestContext.Current.CancellationToken);

        var answer = await DoctorCommand.WithoutServerAsync(folder["config.toml"], name => name == "CCP_HOME" ? folder.Path : null);

        using var view = JsonDocument.Parse(answer.Body);
        Assert.Equal(isOk, view.RootElement.GetProperty("ok").GetBoolean());
        Assert.Equal(
            ["server warning", then],
            view.RootElement.GetProperty("findings").EnumerateArray().Select(finding => $"{finding.GetProperty("topic")} {finding.GetProperty("level")}").Take(2));
    }

    [Fact]
    public void An_answer_that_is_an_error_stays_one()
    {
        var refused = new AdminAnswer(403, "{}"u8.ToArray());
        Assert.Same(refused, DoctorCommand.WithoutServer(refused, [new ConfigProblem("config.toml", null, null, "odd")]));
    }

    private static AdminAnswer Answer(params FindingView[] findings) => new(200, JsonSerializer.SerializeToUtf8Bytes(new DoctorView(true, findings), AdminJson.Default.DoctorView));
}
