using Ccp.Store;
using Ccp.Telemetry;

namespace Ccp.Ledger;

/// <summary>What is broken, chosen when the process starts; nothing is, without the variable.</summary>
internal static class Breakage
{
    public const string Variable = "CCP_BREAKAGE";

    private static readonly string? Chosen = Environment.GetEnvironmentVariable(Variable);

    /// <summary>The first byte does not wait for the hold row to be on disk.</summary>
    public static bool IsUnheld => Chosen == "unheld";

    /// <summary>The hold goes in one transaction and the charge comes in the next.</summary>
    public static bool IsTorn => Chosen == "torn";

    /// <summary>The hold outlives its settlement by one transaction, and recovery does not look for a charge that stands.</summary>
    public static bool IsTwofold => Chosen == "twofold";

    public static string ReferenceOfRecovery(string requestId) => IsTwofold ? $"{requestId}-recovered" : requestId;

    public static Task SettleAsync(WriteQueue writes, RequestId id, Action<Database> settle, Action onDisk) => IsTorn
        ? writes.MustWriteAsync(database =>
        {
            HoldRow.Delete(database, id.Value);
            _ = writes.MustWriteAsync(settle, onDisk);
        })
        : writes.MustWriteAsync(settle, onDisk);

    public static void DeleteHold(WriteQueue writes, Database database, RequestId id)
    {
        if (IsTwofold)
        {
            _ = writes.MustWriteAsync(later => HoldRow.Delete(later, id.Value));
        }
        else
        {
            HoldRow.Delete(database, id.Value);
        }
    }
}
