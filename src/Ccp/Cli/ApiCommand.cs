using System.CommandLine;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Ccp.Admin;
using Ccp.Configuration;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Cli;

/// <summary>What every command that asks the administration API has in common: its options, the asking, and what becomes of errors.</summary>
internal static class ApiCommand
{
    /// <param name="ask">The request; null: the operator thought better of it.</param>
    /// <param name="show">Prints the answer for people, and says how the command ended.</param>
    /// <param name="open">Finds whom to ask, from --server and --config; null: a server, else the store.</param>
    public static Command Asks(
        this Command command,
        Func<string, string?> environment,
        Func<ParseResult, AdminCall?> ask,
        Func<JsonElement, int> show,
        Func<string?, string?, Task<AdminConnection>>? open = null)
    {
        var server = new Option<string?>("--server") { Description = "The server to talk to instead of this host's; needs CCP_ADMIN_TOKEN. Default: $CCP_SERVER.", HelpName = "URL" };
        var config = new Option<string?>("--config") { Description = "The configuration file, for when no server runs. Default: as for serve.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Print the answer as JSON." };
        command.Add(server);
        command.Add(config);
        command.Add(json);
        command.SetAction(parsed => RunAsync(async () =>
        {
            if (ask(parsed) is not { } call)
            {
                return ExitCodes.Failed;
            }

            await using var connection = await (open is null
                ? AdminConnections.OpenAsync(parsed.GetValue(server), parsed.GetValue(config), environment)
                : open(parsed.GetValue(server), parsed.GetValue(config)));
            return Report(await connection.SendAsync(call), parsed.GetValue(json), show);
        }));
        return command;
    }

    /// <summary>Runs a command and turns what it throws into a message and an exit code.</summary>
    public static async Task<int> RunAsync(Func<Task<int>> command)
    {
        OwnProcess.MakeFilesPrivate();
        try
        {
            return await command();
        }
        catch (WrongUsageException error)
        {
            Console.Error.WriteLine(Terminal.Clean(error.Message));
            return ExitCodes.WrongUsage;
        }
        catch (Exception error) when (error is CommandFailedException or StoreUnavailableException or InvalidOperationException or IOException or UnauthorizedAccessException
            or CryptographicException or HttpRequestException or SocketException or OperationCanceledException or SqliteException or JsonException)
        {
            foreach (var line in Faults.Describe(error).Split('\n'))
            {
                Console.Error.WriteLine(Terminal.Clean(line));
            }

            return ExitCodes.Failed;
        }
    }

    public static int Report(AdminAnswer answer, bool asJson, Func<JsonElement, int> show)
    {
        using var document = Parse(answer);
        if (answer.Status is < 200 or > 299)
        {
            throw Refused(answer.Status, document.RootElement);
        }

        if (!asJson)
        {
            return show(document.RootElement);
        }

        Console.WriteLine(document.RootElement.GetRawText());
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("ok", out var ok) && !ok.GetBoolean() ? ExitCodes.Failed : ExitCodes.Ok;
    }

    private static Exception Refused(int status, JsonElement answer)
    {
        var advice = Advice(status, answer);
        var words = advice ?? ErrorIn(answer) ?? $"The server answered with status {status}.";

        // The API says 400 of what is written as nothing can be. The one that there is advice for, a payment below the minimum, is written well and refused.
        return status == 400 && advice is null ? new WrongUsageException(words) : new CommandFailedException(words);
    }

    private static JsonDocument Parse(AdminAnswer answer)
    {
        try
        {
            return JsonDocument.Parse(answer.Body);
        }
        catch (JsonException error)
        {
            throw new CommandFailedException($"What answered (status {answer.Status}) is no ccp. Look at the server's URL.", error);
        }
    }

    /// <summary>What somebody at a terminal needs to know beyond, or instead of, what the API tells its callers; null: nothing.</summary>
    private static string? Advice(int status, JsonElement answer) =>
        status == 401 ? "The server does not take the token in CCP_ADMIN_TOKEN. Set it to the token of an admin of that server."
        : answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("minimumPayment", out _)
            ? $"{ErrorIn(answer)}, as billing.minimum_topup says; nothing was changed, and nobody was added. Pay at least that; a smaller amount can be posted to a user who is there with ccp balance NAME AMOUNT --adjust --note TEXT."
        : null;

    /// <summary>The sentence of an error: ccp's own, or one in the shape of the Messages API.</summary>
    private static string? ErrorIn(JsonElement answer)
    {
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("error", out var error))
        {
            return null;
        }

        return error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message) ? message.ToString() : error.ToString();
    }
}
