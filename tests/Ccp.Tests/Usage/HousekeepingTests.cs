using Ccp.Store;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Usage;

/// <summary>Which request records go with age, when clocks are right and when they are not.</summary>
public sealed class HousekeepingTests : IAsyncDisposable
{
    private readonly TillUnderTest _till = TillUnderTest.WithConfig();
    private int _calls;

    public ValueTask DisposeAsync() => _till.DisposeAsync();

    [Fact]
    public async Task What_is_older_than_records_are_kept_goes()
    {
        await ServeAsync();
        _till.Clock.Advance(TimeSpan.FromDays(10));
        await ServeAsync();
        _till.Clock.Advance(TimeSpan.FromDays(81));
        await ServeAsync();
        await _till.RestartAsync();
        await KeepHouseAsync();
        Assert.Equal(["call-2", "call-3"], Records());

        // One that runs on does the same every day.
        var housekeeping = new Housekeeping(_till.Till);
        _till.Clock.Advance(TimeSpan.FromDays(10));
        await housekeeping.RunAsync();
        Assert.Equal(["call-3"], Records());
    }

    [Fact]
    public async Task A_start_with_a_clock_that_is_years_ahead_deletes_nothing_whatever_is_served_meanwhile()
    {
        var right = _till.Clock.GetUtcNow();
        await ServeAsync();
        await ServeAsync();
        _till.Clock.JumpTo(right.AddYears(4));
        await _till.RestartAsync();
        var housekeeping = new Housekeeping(_till.Till);
        await housekeeping.RunAsync();
        await ServeAsync();
        _till.Clock.Advance(TimeSpan.FromDays(1));
        await housekeeping.RunAsync();
        Assert.Equal(["call-1", "call-2", "call-3"], Records());

        // Set right, and wrong again at the next start: what the clock had dated ahead says nothing of the age of the others.
        _till.Clock.JumpTo(right.AddDays(1));
        await _till.RestartAsync();
        await KeepHouseAsync();
        await ServeAsync();
        _till.Clock.JumpTo(right.AddYears(5));
        await _till.RestartAsync();
        await KeepHouseAsync();
        Assert.Equal(["call-1", "call-2", "call-3", "call-4"], Records());
    }

    [Fact]
    public async Task A_start_with_a_clock_that_is_years_behind_deletes_nothing()
    {
        var right = _till.Clock.GetUtcNow();
        await ServeAsync();
        _till.Clock.JumpTo(right.AddYears(-4));
        await _till.RestartAsync();
        await KeepHouseAsync();
        _till.Clock.JumpTo(right);
        await _till.RestartAsync();
        await KeepHouseAsync();
        Assert.Equal(["call-1"], Records());
    }

    private Task KeepHouseAsync() => new Housekeeping(_till.Till).RunAsync();

    private async Task ServeAsync()
    {
        if (_calls++ == 0)
        {
            await _till.AddUserAsync("alice", ""","initialBalance":50""");
        }

        await _till.ChargeAsync("alice", "0.01", $"call-{_calls}");
    }

    private List<string> Records()
    {
        using var reader = Database.OpenReader(_till.Till.DatabasePath);
        return reader.Query("SELECT id FROM request ORDER BY id", row => row.GetString(0));
    }
}
