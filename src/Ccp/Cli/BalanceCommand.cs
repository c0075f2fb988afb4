using System.CommandLine;
using System.Text.Json;

namespace Ccp.Cli;

/// <summary><c>ccp balance</c>: what a user has, and top-ups.</summary>
internal static class BalanceCommand
{
    public static Command Build(Func<string, string?> environment)
    {
        var name = new Argument<string>("name") { Description = "The user's name.", HelpName = "NAME" };
        var amount = new Argument<string?>("amount") { Description = "Dollars to add. Without it the balance is shown.", HelpName = "AMOUNT", Arity = ArgumentArity.ZeroOrOne };
        var reference = new Option<string?>("--reference") { Description = "What the payment is known by. The same reference again adds nothing.", HelpName = "TEXT" };
        var note = new Option<string?>("--note") { Description = "A remark for the ledger.", HelpName = "TEXT" };
        var command = new Command("balance", "Show a balance, or top it up.\n\nExample: ccp balance alice 50 --reference invoice-17") { name, amount, reference, note };
        command.Validators.Add(result =>
        {
            if (result.GetResult(amount) is not { Tokens.Count: > 0 } && (result.GetResult(reference) is not null || result.GetResult(note) is not null))
            {
                result.AddError("--reference and --note go with an amount.");
            }
        });
        return command.Asks(
            environment,
            parsed =>
            {
                var path = AdminCall.PathOf("/admin/balance", parsed.GetRequiredValue(name));
                return Amounts.Checked(parsed.GetValue(amount)) is { } dollars
                    ? new AdminCall("POST", path) { Body = AdminCall.BodyOf(("amount", dollars), ("reference", parsed.GetValue(reference)), ("note", parsed.GetValue(note))) }
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
