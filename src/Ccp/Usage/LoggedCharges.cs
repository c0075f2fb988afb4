using System.Text.Json;
using Ccp.Ledger;
using Ccp.Pricing;

namespace Ccp.Usage;

/// <summary>What one call was charged, as the usage log says it.</summary>
/// <param name="Id">The call's, which is also the reference of its charge in the ledger.</param>
/// <param name="IsByRecovery">Charged at the start after a crash, as far as it had got.</param>
internal sealed record LoggedCharge(string Id, string User, string Model, NanoUsd Amount, DateTimeOffset EndedAt, bool IsByRecovery = false);

/// <summary>The charges in usage logs, to the digit: each amount is read from its digits, never as a binary fraction.</summary>
internal static class LoggedCharges
{
    /// <param name="unreadable">Told of each line that is not one of a usage log; the last line of a file may be cut off where a disk was lost.</param>
    /// <returns>By the id of the call, in the order of the files; a line that stands in two files counts once.</returns>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static Dictionary<string, LoggedCharge> Read(IReadOnlyList<string> files, Action<string> unreadable)
    {
        var charges = new Dictionary<string, LoggedCharge>(StringComparer.Ordinal);
        foreach (var path in files)
        {
            var line = 0L;
            foreach (var text in File.ReadLines(path))
            {
                line++;
                try
                {
                    if (text.Length > 0 && Of(text) is { } charge)
                    {
                        // A call may have ended, and ccp before its charge was on disk: what stands is what recovery made of it.
                        if (!charges.TryAdd(charge.Id, charge) && charge.IsByRecovery)
                        {
                            charges[charge.Id] = charge;
                        }
                    }
                }
                catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or OverflowException or ArgumentOutOfRangeException)
                {
                    unreadable($"{path}:{line}");
                }
            }
        }

        return charges;
    }

    /// <returns>Null when nothing was charged.</returns>
    private static LoggedCharge? Of(string text)
    {
        using var document = JsonDocument.Parse(text);
        var line = document.RootElement;
        var id = line.TryGetProperty("rid", out var rid) ? rid.GetString() : throw new FormatException("There is no id.");
        if (!line.TryGetProperty("charge_usd", out var charged))
        {
            return null;
        }

        var user = line.TryGetProperty("user", out var name) ? name.GetString() : null;
        return !NanoUsd.TryParse(charged.GetRawText(), out var amount) ? throw new FormatException("That is no amount.")
            : amount <= NanoUsd.Zero ? null
            : user is null || !line.TryGetProperty("ts", out var ts) ? throw new FormatException("It does not say who was charged, or when.")
            : new LoggedCharge(id!, user, line.TryGetProperty("model", out var model) ? model.GetString() ?? "" : "", amount, DateTimeOffset.FromUnixTimeMilliseconds((long)(ts.GetDecimal() * 1000)),
                line.TryGetProperty("reason", out var reason) && reason.ValueEquals(HoldRecovery.CrashReason));
    }
}
