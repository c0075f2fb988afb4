using Ccp.Store;
using Ccp.Tests.Shared;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Store;

public sealed class StoreHealthTests
{
    private const int InputOutput = 10;

    private readonly ManualClock _clock = new();
    private long _walBytes;
    private bool _isBroken;
    private int _checkpoints;

    [Fact]
    public void A_write_ahead_log_that_cannot_be_emptied_is_a_problem_until_it_can()
    {
        var health = NewHealth();
        _isBroken = true;
        Assert.Null(health.FindProblem());

        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Contains("write-ahead log cannot be brought into the store. The disk of the store reports an error", health.FindProblem(), StringComparison.Ordinal);

        // While it fails it is tried each time; afterwards only now and then again.
        Assert.NotNull(health.FindProblem());
        _isBroken = false;
        Assert.Null(health.FindProblem());
        Assert.Equal(3, _checkpoints);
        Assert.Null(health.FindProblem());
        Assert.Equal(3, _checkpoints);
    }

    [Fact]
    public void A_large_write_ahead_log_is_something_to_look_at_and_no_reason_to_refuse_calls()
    {
        var health = NewHealth();
        _walBytes = StoreHealth.WalBytesUsual;
        _clock.Advance(TimeSpan.FromSeconds(30));

        Assert.Null(health.FindProblem());
        Assert.Contains("64 MiB", health.Warning, StringComparison.Ordinal);

        _walBytes--;
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Null(health.FindProblem());
        Assert.Null(health.Warning);
    }

    [Fact]
    public void A_disk_that_cannot_be_looked_at_is_a_problem()
    {
        var health = new StoreHealth(() => 0, () => throw new DriveNotFoundException("gone"), _clock, NullLogger.Instance);

        Assert.Contains("gone", health.FindProblem(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(13, "Free some space")]
    [InlineData(8, "read-only")]
    [InlineData(14, "read-only")]
    [InlineData(11, "restore a backup")]
    [InlineData(26, "restore a backup")]
    [InlineData(5, "lock")]
    [InlineData(10, "disk of the store reports an error")]
    [InlineData(1, "cannot be written")]
    public void Every_error_of_the_store_says_what_to_do(int code, string advice)
    {
        Assert.Contains(advice, StoreFault.Describe(new SqliteException("SQLite Error 1: 'it''s text'.", code)), StringComparison.Ordinal);
    }

    private StoreHealth NewHealth() => new(
        () =>
        {
            _checkpoints++;
            return _isBroken ? throw new SqliteException("SQLite Error 10: 'disk I/O error'.", InputOutput) : _walBytes;
        },
        () => long.MaxValue,
        _clock,
        NullLogger.Instance);
}
