using System.Text;
using Ccp.Configuration;
using Ccp.Store;
using Ccp.Tests.Configuration;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Ccp.Thinking;
using Microsoft.Data.Sqlite;

namespace Ccp.Tests.Thinking;

public sealed class ThinkingGuardTests : IAsyncDisposable
{
    private static readonly CcpConfig TwoLanes = Configured.Good("", new() { ["ZAI_API_KEY"] = "zai-key" });

    private readonly TillUnderTest _till = TillUnderTest.WithConfig();

    public ValueTask DisposeAsync() => _till.DisposeAsync();

    [Fact]
    public async Task A_block_is_foreign_to_every_lane_but_its_own_and_one_that_nobody_knows_to_none()
    {
        await using var guard = Guard();
        guard.ListenerFor("zai")!("by zai"u8);
        guard.ListenerFor("anthropic")!("by anthropic"u8);

        Assert.Equal("by zai", Foreign(guard, "anthropic"));
        Assert.Equal("by anthropic", Foreign(guard, "zai"));
    }

    [Fact]
    public async Task As_long_as_nothing_is_known_of_another_lane_no_body_is_looked_into()
    {
        await using (var guard = Guard())
        {
            Assert.Null(guard.JudgeFor("zai"));
            guard.ListenerFor("zai")!("by zai"u8);
            Assert.Null(guard.JudgeFor("zai"));
            Assert.NotNull(guard.JudgeFor("anthropic"));
        }

        await _till.RestartAsync(whileClosed: () => File.Delete(_till.Till.DatabasePath));
        await using var alone = Guard(Configured.Good(""));
        Assert.Null(alone.JudgeFor("anthropic"));
    }

    /// <summary>There are providers that sign nothing. Theirs cannot be known by its signature, and is not the default lane's in any case.</summary>
    [Fact]
    public async Task What_nobody_signed_is_foreign_to_the_lane_that_signs_all()
    {
        await using var guard = Guard();
        Assert.True(guard.JudgeFor("anthropic")!([]));
        Assert.False(guard.JudgeFor("anthropic")!("by nobody"u8));

        guard.ListenerFor("zai")!("by zai"u8);
        guard.ListenerFor("anthropic")!("by anthropic"u8);
        Assert.True(guard.JudgeFor("anthropic")!([]));
        Assert.False(guard.JudgeFor("zai")!([]));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("[[key]]\nname = \"a\"\nlane = \"zai\"\nvalue = \"env:OTHER\"", true)]
    [InlineData("[[lane]]\nname = \"third\"\nbase_url = \"https://third.example\"\nkey = \"env:OTHER\"", true)]
    public async Task Where_there_is_only_one_lane_nothing_is_remembered(string toml, bool remembers)
    {
        await using var guard = Guard(Configured.Good(toml, new() { ["DEFAULT_ANTHROPIC_API_KEY"] = "key", ["OTHER"] = "other" }));
        Assert.Equal(remembers, guard.ListenerFor("anthropic") is not null);
    }

    [Fact]
    public async Task What_is_known_outlives_a_restart_even_one_that_takes_the_other_lane_away()
    {
        await using (var guard = Guard())
        {
            guard.ListenerFor("zai")!("by zai"u8);
            guard.ListenerFor("anthropic")!("by anthropic"u8);
        }

        await _till.RestartAsync();
        await using (var again = Guard())
        {
            Assert.Equal("by zai", Foreign(again, "anthropic"));
            Assert.Equal("by anthropic", Foreign(again, "zai"));
        }

        await using var alone = Guard(Configured.Good(""));
        Assert.Equal("by zai", Foreign(alone, "anthropic"));
    }

    [Fact]
    public async Task The_store_has_it_a_second_later_as_a_hash_and_loses_it_when_it_is_forgotten()
    {
        await using (var guard = Guard())
        {
            guard.ListenerFor("zai")!("a signature that must not be stored"u8);
            Assert.Equal(0, Stored());
            await Waiting.UntilAsync(_till.Clock, () => Stored() == 1);
        }

        await _till.RestartAsync(whileClosed: () =>
        {
            var files = Directory.EnumerateFiles(Path.GetDirectoryName(_till.Till.DatabasePath)!).Select(File.ReadAllBytes).ToList();
            Assert.Contains(files, bytes => bytes.AsSpan().IndexOf("thinking_signature"u8) >= 0);
            Assert.All(files, bytes => Assert.True(bytes.AsSpan().IndexOf("must not be stored"u8) < 0));
        });
        _till.Clock.JumpTo(_till.Clock.GetUtcNow() + SignatureMemory.Lifetime);
        await using (var later = Guard())
        {
            Assert.False(later.JudgeFor("anthropic")!("a signature that must not be stored"u8));
            later.ListenerFor("zai")!("a later one"u8);
        }

        Assert.Equal((1, 1), (Stored(), Stored($"expires_at_ms > {_till.Clock.GetUtcNow().ToUnixTimeMilliseconds()}")));
    }

    [Fact]
    public async Task More_than_one_write_holds_are_all_written()
    {
        await using (var guard = Guard())
        {
            var listen = guard.ListenerFor("zai")!;
            for (var number = 0; number < 1_500; number++)
            {
                listen(BitConverter.GetBytes(number));
            }
        }

        Assert.Equal(1_500, Stored());
    }

    [Fact]
    public async Task A_store_that_fails_is_no_matter_to_the_path_of_a_call_and_gets_it_when_it_works_again()
    {
        await using var guard = Guard();
        Alter("ALTER TABLE thinking_signature RENAME TO elsewhere");
        guard.ListenerFor("zai")!("by zai"u8);
        await Waiting.UntilAsync(_till.Clock, () => _till.Till.Writes.Problem is not null);
        Assert.Equal("by zai", Foreign(guard, "anthropic"));

        Alter("ALTER TABLE elsewhere RENAME TO thinking_signature");
        await Waiting.UntilAsync(_till.Clock, () => _till.Till.Writes.Problem is null && Stored() == 1);
    }

    [Fact]
    public async Task A_table_that_cannot_be_read_keeps_ccp_from_nothing()
    {
        Alter("DROP TABLE thinking_signature");
        await using var guard = Guard();
        guard.ListenerFor("zai")!("by zai"u8);
        Assert.Equal("by zai", Foreign(guard, "anthropic"));
    }

    [Fact]
    public async Task Of_a_store_with_too_many_those_that_expire_last_are_known()
    {
        using var database = Database.OpenReader(_till.Till.DatabasePath);
        var now = _till.Clock.GetUtcNow();
        await _till.Till.Writes.WriteAsync(store =>
        {
            SignatureStore.Write(store, [new(1, "zai", now.AddDays(1)), new(2, "zai", now.AddDays(3)), new(3, "zai", now.AddDays(2)), new(4, "zai", now)], now);
            return true;
        });
        Assert.Equal([3, 2], SignatureStore.Load(database, now, 2).Select(block => (int)block.Hash));
        Assert.Equal([1, 3, 2], SignatureStore.Load(database, now, 9).Select(block => (int)block.Hash));
    }

    private static string Foreign(ThinkingGuard guard, string lane) =>
        string.Join(", ", new[] { "by anthropic", "by zai", "by nobody" }.Where(signature => guard.JudgeFor(lane)!(Encoding.UTF8.GetBytes(signature))));

    private ThinkingGuard Guard(CcpConfig? config = null) => new(() => config ?? TwoLanes, _till.Till.DatabasePath, _till.Till.Writes, _till.Clock);

    private long Stored(string where = "1")
    {
        using var database = Database.OpenReader(_till.Till.DatabasePath);
        return database.QueryFirst($"SELECT count(*) FROM thinking_signature WHERE {where}", row => row.GetInt64(0));
    }

    private void Alter(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_till.Till.DatabasePath};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
