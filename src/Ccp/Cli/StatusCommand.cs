using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp status</c>: what the lanes do, and how much of their quotas is used.</summary>
internal static class StatusCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var since = new Option<string>("--since") { Description = "How far back: an age such as 24h or 7d, or a day such as 2026-11-22.", HelpName = "AGE|DAY", DefaultValueFactory = _ => "24h" };
        var command = new Command(
            "status",
            "Show what each model did on each lane, how fast, and how much of the quotas is used.\n\nRates are output tokens a second, while answers were streamed and over the whole time of the calls. Hours are UTC.\n\nExample: ccp status --since 7d") { since };
        return command.Asks(
            environment,
            parsed => new AdminCall("GET", "/v1/usage") { Query = AdminCall.QueryOf(("since", parsed.GetValue(since))) },
            Show);
    }

    public static int Show(JsonElement answer)
    {
        Terminal.Line($"Since {answer.Instant("from")} UTC");
        if (!answer.GetProperty("complete").GetBoolean())
        {
            Console.Error.WriteLine($"There were more calls than are looked at: these are the newest {LaneCallsMax}.");
        }

        Terminal.Table(
            ["Lane", "Model", " Requests", " Input", " Cache write", " Cache read", " Output", " Tok/s", " Tok/s wall", " TTFT p50 ms", " p95 ms", "Fastest hour", " 429", " Fallbacks"],
            [.. answer.GetProperty("lanes").EnumerateArray().Select(Row)]);
        if (answer.GetProperty("quotas").EnumerateArray().SelectMany(QuotaRows).ToList() is { Count: > 0 } quotas)
        {
            Console.WriteLine();
            Terminal.Table(["Lane", "Quota of", "Window", " Used", " Cap", " %", " Warns at", "State"], quotas);
        }

        return ExitCodes.Ok;
    }

    private static string LaneCallsMax => Ccp.Usage.LaneReport.CallsMax.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string[] Row(JsonElement use) =>
    [
        use.Text("lane"),
        use.Text("model"),
        use.Text("requests"),
        use.Text("inputTokens"),
        use.Text("cacheWriteTokens"),
        use.Text("cacheReadTokens"),
        use.Text("outputTokens"),
        use.Text("tokensPerSecond"),
        use.Text("tokensPerSecondWall"),
        use.Text("ttftP50Ms"),
        use.Text("ttftP95Ms"),
        use.Text("fastestHour") is { Length: > 0 } hour ? $"{hour.PadLeft(2, '0')}:00 ({use.Text("fastestHourTokensPerSecond")})" : "",
        use.Text("tooManyRequests"),
        use.Text("fallbacks"),
    ];

    private static IEnumerable<string[]> QuotaRows(JsonElement quota)
    {
        foreach (var name in new[] { "rolling", "weekly" })
        {
            if (quota.TryGetProperty(name, out var window))
            {
                yield return
                [
                    quota.Text("lane"),
                    quota.Text("model"),
                    window.Text("window"),
                    window.Text("used"),
                    window.Text("cap"),
                    window.Text("percent"),
                    WarnAt(quota),
                    State(quota, window),
                ];
            }
        }
    }

    private static string WarnAt(JsonElement quota) => quota.TryGetProperty("learned", out var learned)
        ? $"{quota.Text("warnAt")} (auto: {learned.Text("samples")} samples, confidence {learned.Text("confidence")})"
        : quota.Text("warnAt");

    private static string State(JsonElement quota, JsonElement window) => string.Join(", ", new[]
    {
        window.Instant("freesAt") is { Length: > 0 } free ? $"used up until {free}" : null,
        quota.GetProperty("warned").GetBoolean() && !quota.GetProperty("blocked").GetBoolean() ? "warned" : null,
        quota.Instant("cooldownUntil") is { Length: > 0 } until ? $"cooling down until {until}" : null,
    }.OfType<string>());
}
