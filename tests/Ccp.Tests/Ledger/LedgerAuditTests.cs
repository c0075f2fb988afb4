using Ccp.Identity;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Store;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Ledger;

/// <summary>
/// Goal: whoever changes a ledger behind ccp's back is found out, and the first row that is off is named.
/// Method: a ledger of eight entries over two accounts; the guards of the store are taken away, one thing is changed, the audit is run.
/// </summary>
public sealed class LedgerAuditTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_untouched_ledger_verifies_and_says_its_head()
    {
        await FillAsync();
        var audit = Audit(Books.Master);

        Assert.Null(audit.Problem);
        Assert.Equal(8, audit.Entries);
        Assert.Equal(2, audit.Accounts);
        Assert.Equal(8, audit.HeadId);
        using var reader = Database.OpenReader(_folder["ccp.db"]);
        Assert.Equal(LedgerBook.Newest(reader, null, 1, null)[0].Hash, audit.HeadHash);
    }

    [Fact]
    public async Task An_empty_ledger_verifies()
    {
        await using (Books.Open(_folder))
        {
        }

        var audit = Audit(Books.Master);
        Assert.Null(audit.Problem);
        Assert.Equal(0, audit.HeadId);
        Assert.Equal(EntryChain.Genesis, audit.HeadHash);
    }

    [Theory]
    [InlineData("UPDATE entry SET amount_nano = amount_nano + 1 WHERE id = 4", "entry 4")]
    [InlineData("UPDATE entry SET amount_nano = 9223372036854775807, kind = 'adjustment' WHERE id = 4", "after 3")]
    [InlineData("UPDATE entry SET amount_nano = -9223372036854775808, kind = 'adjustment' WHERE id = 3", "entry 3")]
    [InlineData("UPDATE entry SET balance_after_nano = balance_after_nano + 1 WHERE id = 4", "entry 4")]
    [InlineData("UPDATE entry SET note = 'something else' WHERE id = 4", "entry 4")]
    [InlineData("UPDATE entry SET note = '' WHERE id = 1", "entry 1")]
    [InlineData("UPDATE entry SET actor = 'nobody' WHERE id = 5", "entry 5")]
    [InlineData("UPDATE entry SET reference = 'other' WHERE id = 5", "entry 5")]
    [InlineData("UPDATE entry SET kind = 'adjustment' WHERE id = 5", "entry 5")]
    [InlineData("UPDATE entry SET at_ms = at_ms + 1 WHERE id = 8", "entry 8")]
    [InlineData("UPDATE entry SET at_ms = at_ms - 1000 WHERE id = 6", "entry 6")]
    [InlineData("UPDATE entry SET at_ms = 9223372036854775807 WHERE id = 6", "after 5")]
    [InlineData("UPDATE entry SET hash = zeroblob(32) WHERE id = 6", "entry 6")]
    [InlineData("UPDATE entry SET hash = randomblob(32) WHERE id = 8", "entry 8")]
    [InlineData("UPDATE entry SET account_id = 3 - account_id WHERE id = 2", "entry 2")]
    [InlineData("UPDATE entry SET actor = actor || substr(note, 1, 1), note = substr(note, 2) WHERE id = 4", "entry 4")]
    [InlineData("DELETE FROM entry WHERE id = 1", "entry 2")]
    [InlineData("DELETE FROM entry WHERE id = 5", "entry 6")]
    [InlineData("DELETE FROM entry WHERE id = 5; UPDATE entry SET id = id - 1 WHERE id > 5", "entry 5")]
    [InlineData("UPDATE entry SET id = 100 WHERE id = 4; UPDATE entry SET id = 4 WHERE id = 5; UPDATE entry SET id = 5 WHERE id = 100", "entry 4")]
    [InlineData("DELETE FROM entry WHERE id = 8", "account 2")]
    [InlineData("UPDATE account SET balance_nano = balance_nano + 1 WHERE id = 1", "account 1")]
    [InlineData("INSERT INTO account (opened_as, opened_at_ms, balance_nano) VALUES ('x', 0, 5)", "account 3")]
    [InlineData("INSERT INTO entry SELECT 9, at_ms, account_id, kind, amount_nano, balance_after_nano + amount_nano, 'again', actor, note, hash FROM entry WHERE id = 8", "entry 9")]
    public async Task Tampering_is_found_and_the_first_row_that_is_off_is_named(string sql, string named)
    {
        await FillAsync();
        using (var database = Database.OpenWriter(_folder["ccp.db"], syncsEveryCommit: false))
        {
            database.Execute("DROP TRIGGER entry_is_never_changed; DROP TRIGGER entry_is_never_deleted; PRAGMA foreign_keys = OFF");
            database.Execute(sql);
        }

        var problem = Audit(Books.Master).Problem;
        Assert.NotNull(problem);
        Assert.Contains(named, problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_master_key_no_hash_fits()
    {
        await FillAsync();
        Assert.Contains("entry 1", Audit(MasterKey.FromBytes(new byte[MasterKey.SizeInBytes])).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chain_goes_on_over_a_restart()
    {
        await FillAsync();
        await using (var books = Books.Open(_folder, new ManualClock(new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero))))
        {
            await books.Ledger.PostAsync(1, EntryKind.TopUp, new NanoUsd(5), "later", "test", "");
        }

        var audit = Audit(Books.Master);
        Assert.Null(audit.Problem);
        Assert.Equal(9, audit.HeadId);
    }

    private async Task FillAsync()
    {
        await using var books = Books.Open(_folder);
        var accounts = new[] { await books.NewAccountAsync(), await books.NewAccountAsync() };
        for (var number = 0; number < 8; number++)
        {
            var (kind, amount) = number < 2 ? (EntryKind.TopUp, 1000) : (EntryKind.Charge, -number);
            await books.Ledger.PostAsync(accounts[number % 2], kind, new NanoUsd(amount), $"reference-{number}", "ccp", $"note {number}");
            books.Clock.Advance(TimeSpan.FromMilliseconds(10));
        }
    }

    private AuditResult Audit(MasterKey master)
    {
        using var reader = Database.OpenReader(_folder["ccp.db"]);
        return new LedgerAudit(new EntryChain(master)).Run(reader);
    }
}
