using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp receipt</c>: what one request cost, and why.</summary>
internal static class ReceiptCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var id = new Argument<string>("request") { Description = "The request's id, as ccp requests and ccp ledger show have it.", HelpName = "REQUEST-ID" };
        var command = new Command(
            "receipt",
            "Show what a request cost, line by line, and its entry in the ledger. Users see those of their own requests, by their own token.\n\nExample: ccp receipt req_0123456789abcdef0123456789abcdef") { id };
        return command.Asks(environment, parsed => new AdminCall("GET", AdminCall.PathOfRequest(parsed.GetRequiredValue(id), "receipt")), Show);
    }

    private static int Show(JsonElement receipt)
    {
        Fact("request", receipt.Text("id"));
        Fact("user", receipt.Text("username"));
        Fact("at (UTC)", receipt.Instant("at"));
        Fact("model", ModelOf(receipt));
        Fact("lane", receipt.Text("lane"));
        Fact("decided", DecisionOf(receipt));
        Fact("ended", receipt.Text("endedText"));
        Fact("usage", UsageOf(receipt));
        foreach (var price in receipt.GetProperty("prices").EnumerateArray())
        {
            Fact("price", $"{price.Text("model")}, {(price.Instant("effectiveFrom") is { Length: > 0 } from ? $"in force from {from}" : "without a date")}{AsOf(price)}; {price.Text("source")}");
        }

        if (receipt.Text("explanation") is { Length: > 0 } explanation)
        {
            Terminal.Line(explanation);
        }

        if (receipt.GetProperty("lines").GetArrayLength() > 0)
        {
            ChargeLineTable.Print(receipt.GetProperty("lines"), "charge", receipt.Dollars("chargeDollars"));
        }
        else
        {
            Fact("charge", $"{receipt.Dollars("chargeDollars")} USD");
        }

        ShowEntries(receipt);
        return ExitCodes.Ok;
    }

    private static void ShowEntries(JsonElement receipt)
    {
        if (receipt.GetProperty("entry").ValueKind == JsonValueKind.Object)
        {
            ShowEntry(receipt.GetProperty("entry"));
        }

        var corrections = receipt.GetProperty("corrections");
        foreach (var entry in corrections.EnumerateArray())
        {
            ShowEntry(entry);
        }

        if (corrections.GetArrayLength() > 0)
        {
            Fact("by now", $"this request costs {receipt.Dollars("netDollars")} USD");
        }
    }

    private static void ShowEntry(JsonElement entry)
    {
        Fact("entry", $"{entry.Text("id")}, {entry.Text("kind")} of {entry.Dollars("amount")} USD, {entry.Instant("at")}{(entry.Text("note") is { Length: > 0 } note ? $", {note}" : "")}");
        Fact("hash", entry.Text("hash"));
    }

    private static string ModelOf(JsonElement receipt)
    {
        var (asked, answered, pricedAs) = (receipt.Text("model"), receipt.Text("answeredModel"), receipt.Text("pricedAs"));
        return asked + (answered.Length > 0 && answered != asked ? $", answered by {answered}" : "") + (pricedAs.Length > 0 && pricedAs != asked ? $", priced as {pricedAs}" : "");
    }

    /// <summary>Why it went there; and, if another lane answered after that one had failed, where it went first.</summary>
    public static string DecisionOf(JsonElement receipt)
    {
        var (lane, chosenBy) = (receipt.Text("decision"), receipt.Text("chosenBy"));
        var rejected = receipt.GetProperty("rejected").EnumerateArray().Select(other => $"{other.Text("lane")} ({other.Text("reason")})").ToList();
        return receipt.Text("decisionReason")
            + (chosenBy.Length > 0 ? $", wanted by {chosenBy}" : "")
            + (rejected.Count > 0 ? $", not taken: {string.Join(", ", rejected)}" : "")
            + (lane.Length > 0 && lane != receipt.Text("lane") ? $", sent to {lane} first" : "");
    }

    private static string UsageOf(JsonElement receipt) => (receipt.Text("estimated"), receipt.Text("ended")) switch
    {
        ("yes", "suspect") => "estimated: a number of the provider's cannot be true",
        ("yes", _) => "estimated: the final numbers never came",
        ("no", _) => "as the provider reported it",
        _ => "",
    };

    private static string AsOf(JsonElement price) => price.Text("asOf") is { Length: > 0 } day ? $", as read on {day}" : "";

    private static void Fact(string name, string value)
    {
        if (value.Length > 0)
        {
            Terminal.Line($"{name,-9} {value}");
        }
    }
}
