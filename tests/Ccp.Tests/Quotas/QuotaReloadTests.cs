using System.Collections;
using Ccp.Configuration;

namespace Ccp.Tests.Quotas;

/// <summary>
/// Goal: what happens while quotas are counted anew is in the new counts, once, and waits for nothing.
/// Method: the list of quotas that is counted does something of the test's between two of them.
/// </summary>
public sealed class QuotaReloadTests
{
    private const string AnotherQuota = "[[quota]]\nmodel = '*'\nlane = 'zai'\nrolling_tokens = 5000";
    private const string WriterWaited = "The writer waited for the counting.";

    [Fact]
    public async Task A_429_that_comes_meanwhile_is_not_forgotten()
    {
        await using var scene = await QuotaScene.BuildAsync("warn_at = 'auto'");
        await scene.ServeAsync(500);
        await scene.Quotas.ReloadAsync(Interrupted(scene, after: 1, () => scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, TimeSpan.FromMinutes(30))));
        var until = scene.Books.Clock.GetUtcNow() + TimeSpan.FromMinutes(30);
        Assert.Equal((until, 1), (scene.Standing.CooldownUntil, scene.Standing.Warning.Samples));

        // Neither is it taken twice, where its record and the memory of it are both there.
        var isWritten = false;
        await scene.Quotas.ReloadAsync(Interrupted(scene, after: 0, () =>
        {
            scene.Books.Clock.Advance(TimeSpan.FromHours(1));
            scene.Quotas.NoteTooMany("zai", QuotaScene.Haiku, null);
            isWritten = IsDone(scene.WrittenAsync());
        }));
        Assert.True(isWritten, WriterWaited);
        Assert.Equal((until + TimeSpan.FromMinutes(35), 2), (scene.Standing.CooldownUntil, scene.Standing.Warning.Samples));
        await scene.RestartAsync();
        Assert.Equal((until + TimeSpan.FromMinutes(35), 2), (scene.Standing.CooldownUntil, scene.Standing.Warning.Samples));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_call_that_is_recorded_meanwhile_waits_for_nothing_and_counts_once_in_each_quota(int after)
    {
        await using var scene = await QuotaScene.BuildAsync(AnotherQuota);
        var (early, late) = (scene.NewId(), scene.NewId());
        var running = scene.Open(early);
        running.Note(QuotaScene.Used(100));
        var isWritten = false;
        await scene.Quotas.ReloadAsync(Interrupted(scene, after, () =>
        {
            // One that ran already, and one that begins and ends: both are on disk before the counting goes on.
            isWritten = IsDone(Task.WhenAll(scene.RecordAsync(early, 300), scene.RecordAsync(late, 40)));
            running.Close(QuotaScene.Used(300));
            var other = scene.Open(late);
            other.Note(QuotaScene.Used(30));
            other.Close(QuotaScene.Used(40));
        }));
        Assert.True(isWritten, WriterWaited);
        Assert.Equal([340L, 340L], Used(scene));
        await scene.ServeAsync(60);
        Assert.Equal([400L, 400L], Used(scene));
        await scene.RestartAsync();
        Assert.Equal([400L, 400L], Used(scene));
    }

    [Fact]
    public async Task What_begins_after_the_counting_began_leaves_no_earlier_than_it_should()
    {
        await using var scene = await QuotaScene.BuildAsync(quota: "rolling = '1m'\nrolling_tokens = 1000");
        await scene.Quotas.ReloadAsync(Interrupted(scene, after: 1, () =>
        {
            scene.Books.Clock.Advance(TimeSpan.FromSeconds(30));
            scene.Open().Note(QuotaScene.Used(100));
        }));
        scene.Books.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(100, scene.Standing.Rolling!.Used);
    }

    [Fact]
    public async Task The_quotas_that_were_asked_for_last_stay_whichever_are_counted_first()
    {
        await using var scene = await QuotaScene.BuildAsync();
        var newest = scene.Standing.Quota with { RollingTokens = 777 };
        var isCounted = false;
        await scene.Quotas.ReloadAsync(Interrupted(scene, after: 1, () => isCounted = IsDone(scene.Quotas.ReloadAsync([newest]))));
        Assert.Equal((true, 777L), (isCounted, scene.Standing.Quota.RollingTokens));
    }

    private static IEnumerable<long> Used(QuotaScene scene) => scene.Quotas.Report(scene.Books.Clock.GetUtcNow()).Select(standing => standing.Rolling!.Used);

    private static bool IsDone(Task task) => task.Wait(TimeSpan.FromSeconds(10));

    private static InterruptedQuotas Interrupted(QuotaScene scene, int after, Action meanwhile) => new(scene.Books.Till.Config.Quotas, after, meanwhile);

    /// <summary>Does something once, after so many were handed out.</summary>
    private sealed class InterruptedQuotas(IReadOnlyList<QuotaConfig> quotas, int after, Action meanwhile) : IReadOnlyList<QuotaConfig>
    {
        private Action? _meanwhile = meanwhile;

        public int Count => quotas.Count;

        public QuotaConfig this[int index] => quotas[index];

        public IEnumerator<QuotaConfig> GetEnumerator()
        {
            for (var index = 0; index <= quotas.Count; index++)
            {
                if (index == Math.Min(after, quotas.Count))
                {
                    Interlocked.Exchange(ref _meanwhile, null)?.Invoke();
                }

                if (index < quotas.Count)
                {
                    yield return quotas[index];
                }
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
