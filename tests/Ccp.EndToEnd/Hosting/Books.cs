using System.Text.Json;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;
using Ccp.WireTests.Hosting;

namespace Ccp.EndToEnd.Hosting;

/// <summary>What a stopped ccp has written down: the ledger, the request records, the usage log.</summary>
/// <param name="Charges">Of the ledger, oldest first.</param>
/// <param name="Calls">The request records, oldest first.</param>
/// <param name="Ended">The usage log's completions, in the order of the log.</param>
internal sealed record Books(IReadOnlyList<LedgerEntry> Charges, IReadOnlyList<CallRecord> Calls, IReadOnlyList<JsonElement> Ended, NanoUsd Balance)
{
    /// <param name="secrets">What must stand neither in the usage log nor in the process log.</param>
    public static Books Read(CcpUnderTest ccp, int upstreamRequests, IReadOnlyList<string> secrets)
    {
        var log = Path.Combine(ccp.Home, "logs", "usage.jsonl");
        var lines = File.Exists(log) ? File.ReadAllLines(log) : [];
        Assert.All(secrets, secret => Assert.DoesNotContain(lines, line => line.Contains(secret, StringComparison.Ordinal)));
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, ccp.Log, StringComparison.Ordinal));

        var store = ccp.Store;
        Assert.Empty(store.OpenHolds);
        using var database = Database.OpenReader(Path.Combine(ccp.Home, "ccp.db"));
        var chain = new EntryChain(MasterKey.Load(null, DataDirectory.At(ccp.Home).MasterKeyPath));
        Assert.Null(new LedgerAudit(chain).Run(database).Problem);

        var books = new Books([.. store.Charges.Reverse()], CallRecord.All(database), Completions(lines, upstreamRequests), store.BalanceOfAlice);

        // One story, told three times.
        Assert.Equal(books.Charges.Select(charge => charge.Reference).Order(StringComparer.Ordinal), books.Calls.Select(call => call.Id).Order(StringComparer.Ordinal));
        Assert.All(books.Charges, charge => Assert.Equal(-charge.Amount.Value, books.Calls.Single(call => call.Id == charge.Reference).Charge.Value));
        Assert.All(books.Calls, call => Assert.Equal(call.Charge.ToUsd(), books.Ended.Single(line => Text(line, "rid") == call.Id).GetProperty("charge_usd").GetDecimal()));
        return books;
    }

    public static string? Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <summary>Every call has one completion; those that were given a lane have one decision before it, and were sent on unless there was no money.</summary>
    private static List<JsonElement> Completions(IEnumerable<string> lines, int upstreamRequests)
    {
        var entries = lines.Select(line => JsonSerializer.Deserialize<JsonElement>(line)).ToList();
        var decisions = entries.Where(entry => Text(entry, "event") == "decision").Select(entry => Text(entry, "rid")).ToList();
        var completions = entries.Where(entry => Text(entry, "event") is null).ToList();

        var completed = completions.ConvertAll(entry => Text(entry, "rid"));
        Assert.Distinct(completed);
        Assert.Distinct(decisions);
        var routed = completions.Where(entry => Text(entry, "lane") is not null).ToList();
        Assert.Equal(routed.Select(entry => Text(entry, "rid")).Order(StringComparer.Ordinal), decisions.Order(StringComparer.Ordinal));
        Assert.Equal(upstreamRequests, routed.Count(entry => Text(entry, "reason") != "insufficient_credit"));
        Assert.All(decisions, rid => Assert.Equal("decision", Text(entries.First(entry => Text(entry, "rid") == rid), "event")));
        return completions;
    }
}

/// <summary>A request record, as far as these tests look at it.</summary>
internal sealed record CallRecord(string Id, string Model, string Reason, bool IsEstimated, TokenUsage Tokens, NanoUsd Cost, NanoUsd Charge, string? Session, string? Agent)
{
    public static IReadOnlyList<CallRecord> All(Database database) => database.Query(
        """
        SELECT id, model, reason, is_estimated, input_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, output_tokens,
            cost_nano, charge_nano, session, agent
        FROM request ORDER BY rowid
        """,
        row => new CallRecord(
            row.GetString(0),
            row.GetString(1),
            row.GetString(2),
            row.GetInt64(3) == 1,
            new TokenUsage(row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8)),
            new NanoUsd(row.GetInt64(9)),
            new NanoUsd(row.GetInt64(10)),
            row.IsDBNull(11) ? null : row.GetString(11),
            row.IsDBNull(12) ? null : row.GetString(12)));
}
