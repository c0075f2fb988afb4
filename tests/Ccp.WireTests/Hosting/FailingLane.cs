using Ccp.Tests.Shared;

namespace Ccp.WireTests.Hosting;

/// <summary>Has a lane that fails left alone: some failures in a row, then one more for each time that ccp asks whether it works again.</summary>
internal static class FailingLane
{
    public const int FailuresMax = 5;

    /// <param name="pauseSeconds">How long it is left alone after the last failure. A test that makes a call meanwhile names more than a busy machine takes for it.</param>
    /// <param name="failAsync">A call that the lane fails.</param>
    /// <returns>How many calls it took.</returns>
    public static async Task<int> UntilPauseAsync(ManualClock clock, int pauseSeconds, Func<Task> failAsync)
    {
        var calls = 0;
        for (; calls < FailuresMax; calls++)
        {
            await failAsync();
        }

        for (var pause = 1; pause < pauseSeconds; pause *= 2, calls++)
        {
            clock.Advance(TimeSpan.FromSeconds(pause));
            await failAsync();
        }

        return calls;
    }

    /// <inheritdoc cref="UntilPauseAsync(ManualClock, int, Func{Task})"/>
    /// <param name="ccp">Its only lane says that it is overloaded.</param>
    public static Task<int> UntilPauseAsync(CcpUnderTest ccp, ManualClock clock, int pauseSeconds) => UntilPauseAsync(clock, pauseSeconds, async () =>
    {
        using var failed = await ccp.AskAsync();
        Assert.Equal(529, (int)failed.StatusCode);
    });
}
