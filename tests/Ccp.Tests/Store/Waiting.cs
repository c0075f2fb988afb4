using Ccp.Tests.Shared;

namespace Ccp.Tests.Store;

/// <summary>Waiting without sleeping: for things that another thread does as soon as it gets the processor.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    public static async Task UntilAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Longest, "What the test waits for did not happen.");
            await Task.Yield();
        }
    }

    /// <summary>Moves the clock on, a second at a time, until <paramref name="condition"/> holds.</summary>
    public static Task UntilAsync(ManualClock clock, Func<bool> condition) => UntilAsync(() =>
    {
        if (condition())
        {
            return true;
        }

        clock.Advance(TimeSpan.FromSeconds(1));
        return false;
    });
}
