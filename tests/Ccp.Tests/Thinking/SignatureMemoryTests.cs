using Ccp.Tests.Shared;
using Ccp.Thinking;

namespace Ccp.Tests.Thinking;

public sealed class SignatureMemoryTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly ManualClock _clock = new();

    [Fact]
    public void A_block_is_known_by_the_lane_it_came_from_and_no_other_is_known()
    {
        var memory = Memory();
        memory.Note(1, "zai");
        memory.Note(2, "anthropic");
        Assert.Equal(("zai", "anthropic", null), (memory.LaneOf(1), memory.LaneOf(2), memory.LaneOf(3)));
    }

    [Fact]
    public void A_block_that_is_not_seen_again_is_forgotten_after_its_lifetime_and_not_before()
    {
        var memory = Memory();
        memory.Note(1, "zai");
        _clock.Advance(SignatureMemory.Lifetime - Moment);
        memory.Note(2, "zai");
        Assert.Equal(2, memory.Count);

        _clock.Advance(Moment);
        Assert.Null(memory.LaneOf(1));
        memory.Note(3, "zai");
        Assert.Equal(2, memory.Count);
    }

    [Fact]
    public void A_conversation_that_goes_on_keeps_its_blocks_known_at_the_price_of_a_write_a_day()
    {
        var memory = Memory();
        memory.Note(1, "zai");
        Assert.Single(Unwritten(memory));
        for (var day = 0; day < 90; day++)
        {
            _clock.Advance(SignatureMemory.RenewsAfter + Moment);
            Assert.Equal("zai", memory.LaneOf(1));
            Assert.Equal("zai", memory.LaneOf(1));
            Assert.Equal(_clock.GetUtcNow() + SignatureMemory.Lifetime, Assert.Single(Unwritten(memory)).Expires);
            Assert.Equal("zai", memory.LaneOf(1));
            Assert.Empty(Unwritten(memory));
        }
    }

    [Fact]
    public void Of_too_many_the_ones_seen_longest_ago_are_forgotten()
    {
        var memory = Memory(countMax: 3);
        memory.Note(1, "zai");
        memory.Note(2, "zai");
        memory.Note(3, "anthropic");
        memory.Note(1, "zai");
        memory.Note(4, "zai");
        Assert.Equal((3, "zai", null, "anthropic", "zai"), (memory.Count, memory.LaneOf(1), memory.LaneOf(2), memory.LaneOf(3), memory.LaneOf(4)));
        Assert.Equal([1, 3, 4], Unwritten(memory).Select(block => (int)block.Hash).Order());
    }

    [Fact]
    public void As_long_as_one_lane_signed_them_all_none_can_be_foreign_to_it()
    {
        var memory = Memory(countMax: 2);
        Assert.True(memory.KnowsOnly("anthropic"));
        memory.Note(1, "anthropic");
        Assert.Equal((true, false), (memory.KnowsOnly("anthropic"), memory.KnowsOnly("zai")));
        memory.Note(2, "zai");
        Assert.Equal((false, false), (memory.KnowsOnly("anthropic"), memory.KnowsOnly("zai")));
        memory.Note(3, "zai");
        Assert.Equal((false, true), (memory.KnowsOnly("anthropic"), memory.KnowsOnly("zai")));
        memory.Note(3, "anthropic");
        memory.Note(2, "anthropic");
        Assert.Equal((true, false), (memory.KnowsOnly("anthropic"), memory.KnowsOnly("zai")));
    }

    [Fact]
    public void What_could_not_be_written_is_written_later_unless_something_newer_is_or_it_is_forgotten()
    {
        var memory = Memory(countMax: 2);
        memory.Note(1, "zai");
        memory.Note(2, "zai");
        var taken = Unwritten(memory);
        Assert.Empty(Unwritten(memory));
        memory.Note(2, "anthropic");
        memory.Note(3, "zai");
        memory.PutBack(taken);
        Assert.Equal([(2, "anthropic"), (3, "zai")], Unwritten(memory).Select(block => ((int)block.Hash, block.Lane)).Order());
    }

    [Fact]
    public void A_clock_that_is_set_back_forgets_nothing_that_is_newer_than_what_it_keeps()
    {
        var memory = Memory(countMax: 2);
        memory.Note(1, "zai");
        _clock.JumpTo(_clock.GetUtcNow() - TimeSpan.FromDays(300));
        memory.Note(2, "zai");
        memory.Note(3, "zai");
        var blocks = memory.TakeUnwritten(10, out var oldest);
        Assert.Equal([2, 3], blocks.Select(block => (int)block.Hash).Order());
        Assert.All(blocks, block => Assert.True(block.Expires >= oldest));
    }

    [Fact]
    public async Task It_may_be_told_and_asked_from_many_threads()
    {
        var memory = Memory(countMax: 1_000);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (var number = 0; number < 5_000; number++)
            {
                memory.Note((UInt128)(number % 2_000), thread % 2 == 0 ? "zai" : "anthropic");
                memory.LaneOf((UInt128)(number * thread % 2_000));
                memory.KnowsOnly("zai");
                if (number % 100 == 0)
                {
                    memory.PutBack(memory.TakeUnwritten(64, out _));
                }
            }
        })));
        Assert.Equal(1_000, memory.Count);
        Assert.Equal(1_000, Enumerable.Range(0, 2_000).Count(number => memory.LaneOf((UInt128)number) is not null));
    }

    private static List<SignedBlock> Unwritten(SignatureMemory memory) => memory.TakeUnwritten(100, out _);

    private SignatureMemory Memory(int countMax = 100) => new(countMax, _clock);
}
