using Microsoft.Data.Sqlite;

namespace Ccp.Ledger;

/// <summary>Where a call was to go and why, in the words of the usage log, as it is kept with the hold and with the request record.</summary>
/// <param name="Lane">The lane it was decided for; another one may have answered, after this one failed.</param>
/// <param name="ChosenBy">What wanted the call on its first lane; null where <paramref name="Reason"/> says it.</param>
/// <param name="Rejected">Lanes that were wanted and not taken, <c>zai=license_block other=no_price</c>; null: none.</param>
internal sealed record LaneDecision(string Lane, string Reason, string? ChosenBy = null, string? Rejected = null)
{
    /// <summary>Reads four columns: decision, decision_reason, chosen_by, rejected.</summary>
    /// <returns>Null in rows that were written before decisions were kept.</returns>
    public static LaneDecision? Read(SqliteDataReader row, int first) => row.IsDBNull(first) ? null : new(
        row.GetString(first),
        row.GetString(first + 1),
        row.IsDBNull(first + 2) ? null : row.GetString(first + 2),
        row.IsDBNull(first + 3) ? null : row.GetString(first + 3));
}
