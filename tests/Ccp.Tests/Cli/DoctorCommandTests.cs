using System.Text.Json;
using Ccp.Admin;
using Ccp.Cli;
using Ccp.Configuration;

namespace Ccp.Tests.Cli;

public sealed class DoctorCommandTests
{
    [Fact]
    public void Without_a_server_what_the_file_warns_of_is_found_all_the_same()
    {
        var answer = DoctorCommand.WithWarnings(
            Answer(new("configuration", FindingView.Ok, "no problems"), new("store", FindingView.Ok, "well"), new("lanes", FindingView.Warning, "paused")),
            [new ConfigProblem("config.toml", null, null, "odd"), new ConfigProblem("config.toml", null, null, "odder")]);

        using var view = JsonDocument.Parse(answer.Body);
        Assert.True(view.RootElement.GetProperty("ok").GetBoolean());
        Assert.Equal(
            ["configuration warning", "configuration warning", "store ok", "lanes warning"],
            view.RootElement.GetProperty("findings").EnumerateArray().Select(finding => $"{finding.GetProperty("topic")} {finding.GetProperty("level")}"));
        Assert.Contains("config.toml: odd", view.RootElement.GetProperty("findings")[0].GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_that_is_an_error_stays_one()
    {
        var refused = new AdminAnswer(403, "{}"u8.ToArray());
        Assert.Same(refused, DoctorCommand.WithWarnings(refused, [new ConfigProblem("config.toml", null, null, "odd")]));
    }

    private static AdminAnswer Answer(params FindingView[] findings) => new(200, JsonSerializer.SerializeToUtf8Bytes(new DoctorView(true, findings), AdminJson.Default.DoctorView));
}
