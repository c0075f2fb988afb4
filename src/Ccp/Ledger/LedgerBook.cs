using Ccp.Pricing;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Ledger;

/// <summary>The entries on disk. Everything here runs on the writer's thread, inside its transaction.</summary>
internal sealed class LedgerBook(EntryChain chain, TimeProvider time)
{
    public const string Columns = "id, at_ms, account_id, kind, amount_nano, balance_after_nano, reference, actor, note, hash";

    /// <summary>Adds one entry, or says that its reference stands already.</summary>
    public PostResult Post(Database database, long account, EntryKind kind, NanoUsd amount, string reference, string actor, string note)
    {
        var kindText = kind.ToText();
        var standing = database.Query(
            "SELECT amount_nano, note FROM entry WHERE account_id = $1 AND kind = $2 AND reference = $3",
            row => (Amount: new NanoUsd(row.GetInt64(0)), Note: row.GetString(1)),
            account,
            kindText,
            reference);
        if (standing is [var posted])
        {
            return posted == (amount, note) ? PostResult.AlreadyPosted : PostResult.PostedOnOtherTerms;
        }

        var last = database.QueryFirst($"SELECT {Columns} FROM entry ORDER BY id DESC LIMIT 1", Read);
        var balance = database.QueryFirst("SELECT balance_nano FROM account WHERE id = $1", row => new NanoUsd(row.GetInt64(0)), account);

        // The clock of a host can be set back; the order of the ledger cannot.
        var now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        var at = last is not null && last.At > now ? last.At : now;
        var entry = new LedgerEntry((last?.Id ?? 0) + 1, at, account, kind, amount, balance + amount, reference, actor, note, []);
        var hash = chain.HashOf(last?.Hash ?? EntryChain.Genesis, entry);

        // From here the entry must stand: every check is above this line and every write is below it.
        database.RunOne(
            $"INSERT INTO entry ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            entry.Id,
            entry.At.ToUnixTimeMilliseconds(),
            account,
            kindText,
            amount.Value,
            entry.BalanceAfter.Value,
            reference,
            actor,
            note,
            hash);
        database.RunOne("UPDATE account SET balance_nano = $2 WHERE id = $1", account, entry.BalanceAfter.Value);
        return PostResult.Posted;
    }

    /// <summary>Newest first.</summary>
    /// <param name="account">Null: all accounts.</param>
    /// <param name="before">Only entries with a smaller id; null: from the newest on.</param>
    public static IReadOnlyList<LedgerEntry> Newest(Database database, long? account, int limit, long? before) => database.Query(
        $"SELECT {Columns} FROM entry WHERE ($1 IS NULL OR account_id = $1) AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        Read,
        account,
        before,
        limit);

    public static void VisitAll(Database database, Func<LedgerEntry, bool> visit) =>
        database.Visit($"SELECT {Columns} FROM entry ORDER BY id", row => visit(Read(row)));

    public static LedgerEntry Read(SqliteDataReader row) => new(
        row.GetInt64(0),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
        row.GetInt64(2),
        EntryKindNames.Parse(row.GetString(3)),
        new NanoUsd(row.GetInt64(4)),
        new NanoUsd(row.GetInt64(5)),
        row.GetString(6),
        row.GetString(7),
        row.GetString(8),
        row.GetFieldValue<byte[]>(9));
}
