using Ccp.Ledger;
using Ccp.Store;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Admin;

/// <summary>
/// Goal: a backup is whole, proved and private, and a restore never loses what stood before.
/// Method: real stores and files; the writer goes on while it is copied; every way in which a backup can be wrong.
/// </summary>
public sealed class BackupTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TillUnderTest _till = TillUnderTest.WithConfig();

    private string Store => _till.Till.DatabasePath;

    public async ValueTask DisposeAsync()
    {
        await _till.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_backup_holds_what_was_committed_is_private_and_needs_no_file_beside_it()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");

        var answer = await BackUpAsync(_folder["a.db"]);

        Assert.Equal(201, answer.Status);
        Assert.Equal("1", answer.Digits("entries"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["a.db"]));
        Assert.Equal([_folder["a.db"]], Directory.GetFiles(_folder.Path));
        using var copy = Database.OpenReader(_folder["a.db"]);
        Assert.Equal("delete", copy.QueryFirst("PRAGMA journal_mode", row => row.GetString(0)));
        Assert.Equal(answer.Json.GetProperty("headHash").GetString(), Convert.ToHexStringLower(StoreProof.Of(copy, _till.Till.Master).Audit.HeadHash));
    }

    [Fact]
    public async Task What_copies_that_were_cut_off_left_behind_goes_with_the_next_backup_and_nothing_else()
    {
        var unique = Guid.NewGuid().ToString("N");
        string[] abandoned = [$"old.db.partial-{unique}", $"old.db.partial-{unique}-wal", $"old.db.partial-{unique}-shm", $"old.db.partial-{unique}-journal"];
        string[] kept = ["old.db", "old.db-wal", "my.partial-notes", $"mine.partial-{unique}-other", $"running.db.partial-{Guid.NewGuid():N}", $"running.db.partial-{Guid.NewGuid():N}-wal"];
        foreach (var name in abandoned.Concat(kept))
        {
            await File.WriteAllTextAsync(_folder[name], "x");
            File.SetLastWriteTimeUtc(_folder[name], _till.Clock.GetUtcNow().UtcDateTime - (name.StartsWith("running", StringComparison.Ordinal) ? TimeSpan.FromMinutes(59) : TimeSpan.FromMinutes(61)));
        }

        Assert.Equal(201, (await BackUpAsync(_folder["a.db"])).Status);

        Assert.Equal(kept.Append("a.db").Order(StringComparer.Ordinal), Directory.GetFiles(_folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_copy_that_is_thrown_away_leaves_nothing()
    {
        Assert.Throws<StoreUnavailableException>(() => StoreCopy.Make(Store, _folder["a.db"], _till.Clock, copy =>
        {
            // As SQLite leaves them when it is stopped in the middle.
            File.WriteAllText(copy.Path + "-wal", "");
            File.WriteAllText(copy.Path + "-shm", "");
            throw new StoreUnavailableException("not this one");
        }));

        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_backup_made_while_charges_are_written_is_one_moment_and_every_balance_in_it_is_right()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        using var done = new CancellationTokenSource();
        var charges = 0;
        var writer = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await _till.ChargeAsync("alice", "0.001", $"call-{charges++}");
            }
        });
        for (var backup = 0; backup < 5; backup++)
        {
            var before = Volatile.Read(ref charges);
            await Waiting.UntilAsync(() => Volatile.Read(ref charges) > before + 5 || writer.IsCompleted);
            Assert.Equal(201, (await BackUpAsync(_folder[$"{backup}.db"])).Status);
        }

        await done.CancelAsync();
        await writer;
        Assert.Equal("true", (await _till.AskAsync("GET", "/admin/db/check")).Digits("ok"));
    }

    [Fact]
    public async Task A_backup_never_overwrites_and_leaves_nothing_behind_when_it_fails()
    {
        await File.WriteAllTextAsync(_folder["there"], "precious");

        var answer = await BackUpAsync(_folder["there"]);
        var nowhere = await BackUpAsync(_folder["no/such/folder.db"]);

        Assert.Equal(409, answer.Status);
        Assert.Contains("not overwritten", answer.Error, StringComparison.Ordinal);
        Assert.Equal(409, nowhere.Status);
        Assert.Contains($"There is no directory {_folder["no/such"]}. Make one", nowhere.Error, StringComparison.Ordinal);
        Assert.Equal("precious", await File.ReadAllTextAsync(_folder["there"]));
        Assert.Equal([_folder["there"]], Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData("relative.db")]
    [InlineData("/tmp/")]
    [InlineData("")]
    [InlineData("/tmp/two\\nlines")]
    public async Task A_backup_needs_the_full_path_of_a_file(string path)
    {
        Assert.Equal(400, (await BackUpAsync(path)).Status);
    }

    [Fact]
    public async Task An_admin_s_token_writes_no_file_on_the_server()
    {
        var token = await _till.AddUserAsync("root", ""","isAdmin":true""");

        var answer = await _till.AskWithAsync(token, "POST", "/admin/db/backup", $$"""{"path":"{{_folder["a.db"]}}"}""");

        Assert.Equal(403, answer.Status);
        Assert.Contains("on ccp's own host", answer.Error, StringComparison.Ordinal);
        Assert.Equal(401, (await _till.AskWithAsync(null, "POST", "/admin/db/backup", $$"""{"path":"{{_folder["a.db"]}}"}""")).Status);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_damaged_store_gives_no_backup()
    {
        await FillAsync();
        await _till.RestartAsync();
        Damage.PageWith(Store, "note of the page that goes bad");

        var answer = await BackUpAsync(_folder["a.db"]);

        Assert.Equal(503, answer.Status);
        Assert.Contains("damaged", answer.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_restore_brings_back_the_backup_keeps_what_stood_and_says_how_much_came_after()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        await BackUpAsync(_folder["a.db"]);
        await _till.ChargeAsync("alice", "1", "after-1");
        await _till.ChargeAsync("alice", "2", "after-2");

        RestoreResult? result = null;
        await _till.RestartAsync(whileClosed: () => result = Restore("a.db"));

        Assert.Equal(2, result!.Missing);
        Assert.Equal("50", (await _till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
        Assert.Equal(201, (await BackUpAsync(_folder["again.db"])).Status);
        using var kept = Database.OpenReader(result.KeptAs!);
        var proof = StoreProof.Of(kept, _till.Till.Master);
        Assert.Null(proof.Problem);
        Assert.Equal(3, proof.Audit.Entries);
    }

    [Fact]
    public async Task A_store_that_is_damaged_with_its_log_beside_it_is_moved_away_whole()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        await BackUpAsync(_folder["a.db"]);

        RestoreResult? result = null;
        await _till.RestartAsync(whileClosed: () =>
        {
            File.WriteAllText(Store, new string('x', 9000));
            File.WriteAllText(Store + "-wal", "log");
            File.WriteAllText(Store + "-shm", "index");
            result = Restore("a.db");
            Assert.False(File.Exists(Store + "-wal"));
            Assert.False(File.Exists(Store + "-shm"));
        });

        Assert.Null(result!.Missing);
        Assert.Equal(9000, new FileInfo(result.KeptAs!).Length);
        Assert.Equal("log", await File.ReadAllTextAsync(result.KeptAs + "-wal"));
        Assert.Equal("50", (await _till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
    }

    [Fact]
    public async Task A_store_that_is_served_is_not_replaced()
    {
        await BackUpAsync(_folder["a.db"]);

        Assert.True(Assert.Throws<StoreUnavailableException>(() => Restore("a.db")).IsInUse);
        Assert.True(Assert.Throws<StoreUnavailableException>(() => StoreRestore.RefuseServed(Store)).IsInUse);
        Assert.Null(StoreRestore.Check(_folder["a.db"], _till.Till.Master).Problem);
    }

    [Theory]
    [InlineData("no store", "damaged")]
    [InlineData("empty", "no store of ccp")]
    [InlineData("page", "damaged")]
    [InlineData("amount", "The ledger is not right")]
    [InlineData("other key", "another master key")]
    [InlineData("newer", "newer ccp")]
    public async Task What_is_wrong_is_not_restored_and_nothing_is_changed(string wrong, string says)
    {
        await FillAsync();
        await BackUpAsync(_folder["a.db"]);
        Spoil(_folder["a.db"], wrong);

        await _till.RestartAsync(whileClosed: () =>
        {
            var before = File.ReadAllBytes(Store);
            var check = Assert.Throws<StoreUnavailableException>(() => StoreRestore.Check(_folder["a.db"], _till.Till.Master)).Message;
            Assert.StartsWith($"{_folder["a.db"]} cannot be restored here, and nothing was changed. ", check, StringComparison.Ordinal);
            Assert.Contains(says, check, StringComparison.Ordinal);

            // It is the backup that is bad: nobody shall stop a ccp whose store is in order.
            Assert.DoesNotContain("Stop ccp", check, StringComparison.Ordinal);
            Assert.Equal(check, Assert.Throws<StoreUnavailableException>(() => Restore("a.db")).Message);
            Assert.Equal(before, File.ReadAllBytes(Store));
            Assert.DoesNotContain(Directory.GetFiles(Path.GetDirectoryName(Store)!), file => file.Contains("restor", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task A_restore_that_was_cut_off_is_not_served_and_can_be_run_again()
    {
        await _till.AddUserAsync("alice", ""","initialBalance":50""");
        await BackUpAsync(_folder["a.db"]);

        await _till.RestartAsync(whileClosed: () =>
        {
            File.Copy(_folder["a.db"], Store + ".restoring");
            File.Move(Store, Store + ".before-restore-x");
            var error = Assert.Throws<StoreUnavailableException>(_till.OpenOnce);
            Assert.Contains("Run ccp db restore again", error.Message, StringComparison.Ordinal);
            Assert.False(File.Exists(Store));
            Restore("a.db");
        });

        Assert.Equal("50", (await _till.AskAsync("GET", "/admin/balance/alice")).Digits("balance"));
    }

    private static void Spoil(string path, string wrong)
    {
        switch (wrong)
        {
            case "no store":
                File.WriteAllText(path, new string('x', 9000));
                break;
            case "empty":
                File.WriteAllBytes(path, []);
                break;
            case "page":
                Damage.PageWith(path, "note of the page that goes bad");
                break;
            default:
                using (var database = Database.OpenWriter(path, syncsEveryCommit: false))
                {
                    database.Execute(wrong switch
                    {
                        "amount" => "UPDATE account SET balance_nano = balance_nano + 1 WHERE id = (SELECT max(account_id) FROM entry)",
                        "other key" => "UPDATE meta SET value = 'x' WHERE key = 'master_key_check'",
                        _ => "PRAGMA user_version = 1000",
                    });
                }

                break;
        }
    }

    private async Task FillAsync()
    {
        await _till.AddUserAsync("alice");
        await _till.AskAsync("POST", "/admin/balance/alice", """{"amount":50,"note":"note of the page that goes bad"}""");
        for (var call = 0; call < 60; call++)
        {
            await _till.ChargeAsync("alice", "0.001", $"call-{call}");
        }
    }

    private Task<Answer> BackUpAsync(string path) => _till.AskAsync("POST", "/admin/db/backup", $$"""{"path":"{{path}}"}""");

    private RestoreResult Restore(string name) => StoreRestore.Run(_folder[name], Store, _till.Till.Master, _till.Clock);
}
