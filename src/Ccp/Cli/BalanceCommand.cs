using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp balance</c>: what a user has, top-ups and adjustments.</summary>
internal static class BalanceCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var name = new Argument<string>("name") { Description = "The user's name.", HelpName = "NAME" };
        var amount = new Argument<string?>("amount") { Description = "Dollars to add; with a minus, to take away. Without it the balance is shown.", HelpName = "AMOUNT", Arity = ArgumentArity.ZeroOrOne };
        var reference = new Option<string?>("--reference") { Description = "What the payment or adjustment is known by. The same reference again changes nothing.", HelpName = "TEXT" };
        var note = new Option<string?>("--note") { Description = "A remark for the ledger. An adjustment needs one.", HelpName = "TEXT" };
        var adjust = new Option<bool>("--adjust") { Description = "Post an adjustment, not a payment: any amount, up or down. Amounts with a minus always are." };
        var command = new Command("balance", "Show a balance, top it up, or adjust it.\n\nExample: ccp balance alice 50 --reference invoice-17\nExample: ccp balance alice -12.50 --note \"paid twice, see ticket 9\"") { name, amount, reference, note, adjust };
        command.Validators.Add(result =>
        {
            if (result.GetResult(amount) is not { Tokens.Count: > 0 } && (result.GetResult(reference) is not null || result.GetResult(note) is not null || result.GetValue(adjust)))
            {
                result.AddError("--reference, --note and --adjust go with an amount.");
            }
            else if (string.IsNullOrWhiteSpace(result.GetValue(note)) && (result.GetValue(adjust) || result.GetValue(amount) is ['-', ..]))
            {
                result.AddError("An adjustment needs --note TEXT: it says in the ledger why, for ever.");
            }
        });
        return command.Asks(
            environment,
            parsed =>
            {
                var path = AdminCall.PathOf("/admin/balance", parsed.GetRequiredValue(name));
                return Amounts.Checked(parsed.GetValue(amount)) is { } dollars
                    ? new AdminCall("POST", path) { Body = AdminCall.BodyOf(("amount", dollars), ("reference", parsed.GetValue(reference)), ("note", parsed.GetValue(note)), ("adjustment", parsed.GetValue(adjust) ? "true" : null)) }
                    : new AdminCall("GET", path);
            },
            Show);
    }

    private static int Show(JsonElement answer)
    {
        if (answer.TryGetProperty("currentBalance", out _))
        {
            Console.Error.WriteLine(Terminal.Clean(answer.Text("message")));
            Terminal.Line($"{answer.Text("username")}: {answer.Dollars("currentBalance")} USD (before: {answer.Dollars("previousBalance")})");
            return ExitCodes.Ok;
        }

        Terminal.Line($"{answer.Text("username")}: {answer.Dollars("balance")} USD (available: {answer.Dollars("available")}, held by calls in progress: {answer.Dollars("held")})");
        if (answer.Text("lowBalanceWarning") == "yes")
        {
            Console.Error.WriteLine("The balance is low.");
        }

        return ExitCodes.Ok;
    }
}
