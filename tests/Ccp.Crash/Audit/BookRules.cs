using System.Text.Json;
using Ccp.Crash.Servers;
using Ccp.Ledger;
using Ccp.Pricing;

namespace Ccp.Crash.Audit;

/// <summary>What must hold of the books as a whole once recovery has run and no call is under way.</summary>
internal static class BookRules
{
    public static IEnumerable<string> Violations(StoreView books, IEnumerable<TopUp> topUps)
    {
        if (books.LedgerProblem is { } problem)
        {
            yield return $"the ledger does not verify: {problem}";
        }

        foreach (var (session, _) in books.Holds)
        {
            yield return $"the hold of {session} was left open";
        }

        foreach (var violation in ChargesWithoutRequests(books).Concat(TopUpProblems(books, topUps)).Concat(BalanceProblems(books)))
        {
            yield return violation;
        }
    }

    /// <summary>What ccp answers admission from must be what stands on disk, and nothing held.</summary>
    public static async Task<IReadOnlyList<string>> MemoryViolationsAsync(House house, StoreView books)
    {
        var violations = new List<string>();
        foreach (var user in house.Users)
        {
            using var said = JsonDocument.Parse(await house.BalanceOfAsync(user));
            var balance = NanoUsd.CeilingFromUsd(said.RootElement.GetProperty("balance").GetDecimal());
            var held = said.RootElement.GetProperty("held").GetDecimal();
            if (balance != books.Balances[user] || held != 0)
            {
                violations.Add($"ccp says that {user} has {balance} USD and {held} held; on disk it is {books.Balances[user]}, and no call is under way");
            }
        }

        return violations;
    }

    /// <summary>Each charge has one request of the same id and amount, and each request one charge: neither money nor usage stands alone.</summary>
    private static IEnumerable<string> ChargesWithoutRequests(StoreView books)
    {
        var requests = books.Requests.ToDictionary(request => request.Id);
        foreach (var charge in books.Entries.Where(entry => entry.Kind == EntryKind.Charge))
        {
            if (!requests.Remove(charge.Reference, out var request))
            {
                yield return $"charged twice, or for nothing: {charge} has no request of its own";
            }
            else if (request.Charge != -charge.Amount || charge.Note.Contains("estimated", StringComparison.Ordinal) != request.IsEstimated)
            {
                yield return $"{charge} and {request} do not agree";
            }
        }

        foreach (var request in requests.Values)
        {
            yield return $"{request} was recorded and not charged";
        }
    }

    private static IEnumerable<string> TopUpProblems(StoreView books, IEnumerable<TopUp> topUps)
    {
        var standing = books.Entries.Where(entry => entry.Kind == EntryKind.TopUp).ToLookup(entry => entry.Reference);
        foreach (var topUp in topUps)
        {
            var entries = standing[topUp.Reference].ToList();
            var stands = entries is [var entry] && NanoUsd.TryParse(topUp.Amount, out var amount) && entry.Amount == amount && entry.User == topUp.User;
            if (entries.Count > 1 || (!stands && (topUp.IsConfirmed || entries.Count > 0)))
            {
                yield return $"{topUp} stands as {string.Join(", ", entries)}";
            }
        }
    }

    /// <summary>Added up here once more, apart from ccp's own audit.</summary>
    private static IEnumerable<string> BalanceProblems(StoreView books)
    {
        foreach (var (user, balance) in books.Balances)
        {
            var sum = books.Entries.Where(entry => entry.User == user).Aggregate(NanoUsd.Zero, (sofar, entry) => sofar + entry.Amount);
            if (sum != balance)
            {
                yield return $"{user} has {balance} USD, and the entries add up to {sum}";
            }
        }
    }
}
