using System.Security.Cryptography;
using Ccp.Pricing;
using Ccp.Store;

namespace Ccp.Ledger;

/// <summary>What an audit found.</summary>
/// <param name="HeadId">Id of the last entry; 0 in an empty ledger.</param>
/// <param name="Problem">Null when every hash and balance is right; else what is off, and the first row where.</param>
internal sealed record AuditResult(long Entries, int Accounts, long HeadId, byte[] HeadHash, string? Problem);

/// <summary>Recomputes every hash and every balance from the first entry on, and believes nothing but the entries.</summary>
internal sealed class LedgerAudit(EntryChain chain)
{
    public AuditResult Run(Database database)
    {
        var balances = new Dictionary<long, NanoUsd>();
        var hash = EntryChain.Genesis;
        var lastAt = DateTimeOffset.MinValue;
        long entries = 0;
        long lastId = 0;
        string? problem = null;
        try
        {
            LedgerBook.VisitAll(database, entry =>
            {
                var balance = balances.GetValueOrDefault(entry.AccountId) + entry.Amount;
                problem = entry switch
                {
                    _ when entry.Id != lastId + 1 => $"entry {entry.Id} follows entry {lastId}: one is missing",
                    _ when entry.At < lastAt => $"entry {entry.Id} is dated before the one it follows",
                    _ when entry.BalanceAfter != balance => $"entry {entry.Id} says the balance is {entry.BalanceAfter}; the entries add up to {balance}",
                    _ when !CryptographicOperations.FixedTimeEquals(entry.Hash, chain.HashOf(hash, entry)) => $"entry {entry.Id} does not carry the hash of what it says: it, or one before it, was changed",
                    _ => null,
                };
                if (problem is not null)
                {
                    return false;
                }

                balances[entry.AccountId] = balance;
                hash = entry.Hash;
                lastAt = entry.At;
                lastId = entry.Id;
                entries++;
                return true;
            });
        }
        catch (Exception error) when (error is OverflowException or ArgumentOutOfRangeException or InvalidDataException or InvalidCastException or InvalidOperationException)
        {
            // Only a row that ccp did not write holds a time, an amount or a kind that cannot be read or added up.
            problem = $"the entry after {lastId} cannot be read: {error.Message}";
        }

        problem ??= FindWrongAccount(database, balances);
        return new AuditResult(entries, balances.Count, lastId, hash, problem);
    }

    private static string? FindWrongAccount(Database database, Dictionary<long, NanoUsd> balances)
    {
        string? problem = null;
        database.Visit("SELECT id, balance_nano FROM account ORDER BY id", row =>
        {
            var kept = new NanoUsd(row.GetInt64(1));
            var added = balances.GetValueOrDefault(row.GetInt64(0));
            problem = kept == added ? null : $"account {row.GetInt64(0)} is kept at {kept}; its entries add up to {added}";
            return problem is null;
        });
        return problem;
    }
}
