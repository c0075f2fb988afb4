using System.CommandLine;
using System.Text.Json;
using Ccp.Identity;

namespace Ccp.Cli;

/// <summary><c>ccp user</c>: who may call.</summary>
internal static class UserCommands
{
    private static Argument<string> Name => new("name") { Description = "The user's name.", HelpName = "NAME" };

    public static Command Build(Func<string, string?> environment) => new("user", "Manage users.\n\nExample: ccp user add alice --balance 50")
    {
        List(environment),
        Add(environment),
        Update(environment),
        Delete(environment),
        Token(environment),
    };

    private static Command List(Func<string, string?> environment) =>
        new Command("list", "List the users.\n\nExample: ccp user list --json").Asks(environment, _ => new AdminCall("GET", "/admin/users"), ShowList);

    private static Command Add(Func<string, string?> environment)
    {
        var name = Name;
        var key = new Option<string?>("--api-key") { Description = ApiKeySource.Description, HelpName = "-|env:NAME|file:PATH" };
        var balance = new Option<string?>("--balance") { Description = "The first top-up, in dollars.", HelpName = "AMOUNT" };
        var admin = new Option<bool>("--admin") { Description = "Make an admin, who may administer ccp and is not charged." };
        var limits = new LimitOptions();
        var command = new Command("add", "Add a user and print the token, this once.\n\nExample: ccp user add alice --balance 50") { name, key, balance, admin };
        limits.AddTo(command);
        return command.Asks(
            environment,
            parsed => new AdminCall("POST", "/admin/users")
            {
                Body = AdminCall.BodyOf(
                    ("username", parsed.GetValue(name)),
                    ("anthropicApiKey", ApiKeySource.Read(parsed.GetValue(key), environment, Console.In)),
                    ("initialBalance", Amounts.Checked(parsed.GetValue(balance))),
                    ("isAdmin", parsed.GetValue(admin) ? "true" : null),
                    ("limits", limits.Json(parsed))),
            },
            ShowChange);
    }

    private static Command Update(Func<string, string?> environment)
    {
        var name = Name;
        var key = new Option<string?>("--api-key") { Description = ApiKeySource.Description + " none takes the user's key away.", HelpName = "-|env:NAME|file:PATH|none" };
        var admin = TrueOrFalse("--admin", "Whether the user may administer ccp.");
        var disabled = TrueOrFalse("--disabled", "Whether the user is shut out.");
        var billing = TrueOrFalse("--billing", "Whether calls are charged. Calls are metered and logged all the same.");
        var markup = new Option<string?>("--markup") { Description = "The factor on the upstream's cost; default for the one of the configuration.", HelpName = "FACTOR" };
        var limits = new LimitOptions();
        var command = new Command("update", "Change a user. What is not stated stays.\n\nExample: ccp user update alice --disabled true\n\nExample: ccp user update alice --concurrent 4 --spend-per-day 20 --models 'claude-haiku-*'") { name, key, admin, disabled, markup, billing };
        limits.AddTo(command);
        command.Validators.Add(result =>
        {
            if (!new Option[] { key, admin, disabled, markup, billing }.Any(option => result.GetResult(option) is not null) && !limits.AreIn(result))
            {
                result.AddError("There is nothing to change: state at least one of --api-key, --admin, --disabled, --markup, --billing and the limits.");
            }
        });
        return command.Asks(
            environment,
            parsed => new AdminCall("PUT", AdminCall.PathOf("/admin/users", parsed.GetRequiredValue(name)))
            {
                Body = AdminCall.BodyOf(
                    ("anthropicApiKey", parsed.GetValue(key) == "none" ? "" : ApiKeySource.Read(parsed.GetValue(key), environment, Console.In)),
                    ("isAdmin", parsed.GetValue(admin)),
                    ("disabled", parsed.GetValue(disabled)),
                    ("markup", parsed.GetValue(markup)),
                    ("billing", parsed.GetValue(billing)),
                    ("limits", limits.Json(parsed))),
            },
            ShowChange);
    }

    private static Command Delete(Func<string, string?> environment)
    {
        var name = Name;
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        var command = new Command("delete", "Delete a user. The history stays.\n\nExample: ccp user delete alice --yes") { name, yes };
        return command.Asks(
            environment,
            parsed =>
            {
                var path = AdminCall.PathOf("/admin/users", parsed.GetRequiredValue(name));
                return parsed.GetValue(yes) || IsSure(parsed.GetRequiredValue(name)) ? new AdminCall("DELETE", path) : null;
            },
            ShowChange);
    }

    private static Command Token(Func<string, string?> environment)
    {
        var name = Name;
        var command = new Command("token", "Give a user a new token and print it, this once. The old one is dead at once.\n\nExample: ccp user token alice") { name };
        return command.Asks(environment, parsed => new AdminCall("POST", AdminCall.PathOf("/admin/users", parsed.GetRequiredValue(name), "/token")), ShowChange);
    }

    private static Option<string?> TrueOrFalse(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = "true|false" };
        option.AcceptOnlyFromAmong("true", "false");
        return option;
    }

    private static bool IsSure(string name)
    {
        if (Console.IsInputRedirected)
        {
            throw new WrongUsageException("Nobody can be asked here: say --yes to delete.");
        }

        Console.Error.Write($"Delete {name}? The token dies at once; the history stays. [y/N] ");
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    private static int ShowList(JsonElement answer)
    {
        var rows = answer.EnumerateObject().Select(user =>
        {
            var (item, usage) = (user.Value, user.Value.GetProperty("usage"));
            return new[]
            {
                user.Name,
                item.Text("isAdmin"),
                item.Text("disabled") == "yes" ? "disabled" : item.Text("hasToken") == "no" ? "no token" : IsExpired(item) ? "expired" : "active",
                usage.Dollars("balance"),
                usage.Text("requests"),
                usage.Text("tokens"),
                item.Text("hasApiKey"),
                item.Instant("lastSeenAt"),
                OwnLimits(item.GetProperty("limits")),
            };
        });
        Terminal.Table(["User", "Admin", "State", " Balance USD", " Requests", " Tokens", "Own key", "Last seen (UTC)", "Own limits"], [.. rows]);
        return ExitCodes.Ok;
    }

    private static bool IsExpired(JsonElement user) =>
        user.GetProperty("limits").TryGetProperty("expires", out var expires) && expires.TryGetDateTimeOffset(out var at) && at <= TimeProvider.System.GetUtcNow();

    /// <summary>As <c>concurrent 4, spend per day 20, models claude-haiku-* claude-sonnet-*</c>.</summary>
    private static string OwnLimits(JsonElement limits) => string.Join(", ", limits.EnumerateObject().Select(limit =>
        $"{LimitsJson.Words(limit.Name)} {(limit.Value.ValueKind == JsonValueKind.Array ? string.Join(' ', limit.Value.EnumerateArray()) : limit.Value.ToString())}"));

    /// <summary>The token alone goes to standard output, so that a script can take it.</summary>
    private static int ShowChange(JsonElement answer)
    {
        Console.Error.WriteLine(Terminal.Clean(answer.Text("message")));
        if (answer.TryGetProperty("token", out var token))
        {
            Terminal.Line(token.GetString() ?? "");
        }

        return ExitCodes.Ok;
    }
}
