using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp pricing</c>: the price book, why a model is priced as it is, and corrections by a changed book.</summary>
internal static class PricingCommands
{
    private static readonly string[] Headers = ["Model", " Input", " Write 5m", " Write 1h", " Read", " Output", " 1000 searches", " Region us", "From (UTC)", "State", "Source"];

    public static Command Build(Func<string, string?> environment) => new("pricing", "Show, explain and correct prices.\n\nExample: ccp pricing show 'claude-haiku-*'")
    {
        ShowBook(environment),
        Explain(environment),
        RerateCommand.Build(environment),
    };

    private static Command ShowBook(Func<string, string?> environment)
    {
        var model = new Argument<string?>("model") { Description = "A model's id, or a pattern with *.", HelpName = "MODEL", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("show", "Show the price book, your own rows first: USD per million tokens.\n\nExample: ccp pricing show 'claude-haiku-*'") { model };
        return command.Asks(environment, parsed => new AdminCall("GET", "/admin/pricing") { Query = AdminCall.QueryOf(("model", parsed.GetValue(model))) }, ShowRows);
    }

    private static Command Explain(Func<string, string?> environment)
    {
        var model = new Argument<string>("model") { Description = "The model, as Claude Code asks for it.", HelpName = "MODEL" };
        var command = new Command("explain", "Show which row prices a model today, why, and what a call would cost.\n\nExample: ccp pricing explain claude-opus-5-5") { model };
        return command.Asks(environment, parsed => new AdminCall("GET", "/admin/pricing/explain") { Query = AdminCall.QueryOf(("model", parsed.GetValue(model))) }, ShowExplanation);
    }

    private static int ShowRows(JsonElement answer)
    {
        var rows = answer.EnumerateArray().SelectMany(RowsOf);
        Terminal.Table(Headers, [.. rows]);
        return ExitCodes.Ok;
    }

    private static IEnumerable<string[]> RowsOf(JsonElement row)
    {
        var asOf = row.Text("asOf") is { Length: > 0 } day ? $" ({day})" : "";
        yield return
        [
            row.Text("model"), .. PricesOf(row.GetProperty("prices")), row.Text("webSearchPer1000"), row.Text("usGeoFactor"), row.Instant("effectiveFrom"),
            row.Text("state").Replace('_', ' '), row.Text("source") + asOf,
        ];
        if (row.GetProperty("above") is { ValueKind: JsonValueKind.Object } above)
        {
            yield return [$"  prompt above {above.Text("promptTokens")}", .. PricesOf(above), "", "", "", "", ""];
        }

        if (row.GetProperty("fast") is { ValueKind: JsonValueKind.Object } fast)
        {
            yield return ["  fast", .. PricesOf(fast), "", "", "", "", ""];
        }
    }

    private static string[] PricesOf(JsonElement prices) =>
        [prices.Text("input"), prices.Text("cacheWrite5m"), prices.Text("cacheWrite1h"), prices.Text("cacheRead"), prices.Text("output")];

    public static string OnLane(JsonElement lane) => $"On the lane {lane.Text("lane")} ({lane.Text("state")}) it "
        + (lane.GetProperty("prices") is { ValueKind: JsonValueKind.Object } prices
            ? $"would be charged as {lane.Text("pricedAs")}: {prices.Text("input")} for input, {prices.Text("output")} for output."
            : $"would be {lane.Text("pricedAs")}, which has no price, so no call for it goes there.");

    private static int ShowExplanation(JsonElement answer)
    {
        foreach (var sentence in answer.GetProperty("why").EnumerateArray())
        {
            Terminal.Line(sentence.GetString() ?? "");
        }

        foreach (var lane in answer.GetProperty("otherLanes").EnumerateArray())
        {
            Terminal.Line(OnLane(lane));
        }

        if (answer.Text("priced") != "yes")
        {
            return ExitCodes.Failed;
        }

        Console.WriteLine();
        Terminal.Table(Headers, [.. RowsOf(answer.GetProperty("row"))]);
        Console.WriteLine();
        Terminal.Line("For example:");
        var example = answer.GetProperty("example");
        ChargeLineTable.Print(example.GetProperty("lines"), "charge", example.Dollars("chargeDollars"));
        Terminal.Line($"The provider takes {example.Dollars("upstreamCostDollars")} USD of it. A user with a markup of their own is charged with that one.");
        return ExitCodes.Ok;
    }
}
