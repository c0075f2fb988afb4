using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp refund</c>: gives back what a request has cost, once.</summary>
internal static class RefundCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var id = new Argument<string>("request") { Description = "The request's id, as ccp requests and ccp ledger show have it.", HelpName = "REQUEST-ID" };
        var amount = new Argument<string?>("amount") { Description = "Dollars to give back. Default: all that the request has cost.", HelpName = "AMOUNT", Arity = ArgumentArity.ZeroOrOne };
        var note = new Option<string?>("--note") { Description = "A remark for the ledger.", HelpName = "TEXT" };
        var command = new Command(
            "refund",
            "Give back what a request has cost. A request is refunded once; doing it again changes nothing.\n\nExample: ccp refund req_0123456789abcdef0123456789abcdef --note \"the answer was cut\"") { id, amount, note };
        return command.Asks(
            environment,
            parsed => new AdminCall("POST", AdminCall.PathOfRequest(parsed.GetRequiredValue(id), "refund"))
            {
                Body = AdminCall.BodyOf(("amount", Amounts.Checked(parsed.GetValue(amount))), ("note", parsed.GetValue(note))),
            },
            Show);
    }

    private static int Show(JsonElement answer)
    {
        Console.Error.WriteLine(Terminal.Clean(answer.Text("message")));
        Terminal.Line($"{answer.Text("username")}: {answer.Dollars("currentBalance")} USD (given back: {answer.Dollars("refunded")})");
        return ExitCodes.Ok;
    }
}
