using System.Globalization;
using Ccp.Routing;
using Ccp.Tests.Licenses;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Routing;

/// <summary>A lane that fails again and again is left alone for longer and longer, and one answer brings it back.</summary>
public sealed class LaneCircuitTests
{
    private static readonly Uri Address = new("https://lane.example");

    private readonly ManualClock _clock = new();
    private readonly LogLines _log = new();
    private readonly LaneCircuit _circuit;

    public LaneCircuitTests()
    {
        _circuit = new LaneCircuit("anthropic", Address, _clock, _log);
    }

    /// <summary>
    /// What happens, step by step, and then how long the lane is left alone; "-" when it is not.
    /// F: a call that fails. A: one that is answered. L: one whose client leaves. S: one that goes on without a word. A number: so many milliseconds pass. x: a call that is not let through.
    /// C: a call that costs nothing, which finds out nothing. c: such a call that is not let through.
    /// </summary>
    [Theory]
    [InlineData("", "-")]
    [InlineData("F F F F", "-")]
    [InlineData("F F F F F", "1000")]
    [InlineData("F F F F A F F F F", "-")]
    [InlineData("F F F F A F F F F F", "1000")]
    [InlineData("F F L F L F F", "1000")]
    [InlineData("L L L L L L L", "-")]
    [InlineData("F F F F F x", "1000")]
    [InlineData("F F F F F 400 x", "600")]
    [InlineData("F F F F F 999 x", "1")]
    [InlineData("F F F F F 1000", "-")]
    [InlineData("F F F F F 1000 A", "-")]
    [InlineData("F F F F F 1000 A F F F F", "-")]
    [InlineData("F F F F F 1000 F", "2000")]
    [InlineData("F F F F F 1000 F x 2000 F x", "4000")]
    [InlineData("F F F F F 1000 F 2000 F 4000 F", "8000")]
    [InlineData("F F F F F 1000 F 2000 F 4000 F 8000 F", "16000")]
    [InlineData("F F F F F 1000 F 2000 F 4000 F 8000 F 16000 F", "32000")]
    [InlineData("F F F F F 1000 F 2000 F 4000 F 8000 F 16000 F 32000 F", "60000 long")]
    [InlineData("F F F F F 1000 F 2000 F 4000 F 8000 F 16000 F 32000 F 60000 F", "60000 long")]
    [InlineData("F F F F F 1000 F 2000 F 4000 F 8000 F 16000 F 32000 F 60000 A F F F F F", "1000")]
    [InlineData("F F F F F 1000 F 2000 A F F F F F", "1000")]
    [InlineData("F F F F F 1000 L", "-")]
    [InlineData("F F F F F 1000 L F", "2000")]
    [InlineData("S S S S S S S S", "-")]
    [InlineData("F F F F F 1000 S x", "1000")]
    [InlineData("F F F F F 1000 S 1000 S x", "2000")]
    [InlineData("F F F F F 1000 S 1000 S 2000 S 4000 S 8000 S 16000 S 32000 S", "60000")]
    [InlineData("F F F F F 1000 S 1000 S 2000 S 4000 S 8000 S 16000 S 32000 S 60000 S 60000 S", "60000")]
    [InlineData("F F F F F 1000 S 1000 S 2000 S 4000 S 8000 S 16000 S 32000 S 60000 F", "60000 long")]
    [InlineData("F F F F F 1000 F 2000 F 4000 F 8000 F 16000 F 32000 F 60000 S", "60000 long")]
    [InlineData("F F F F F 1000 S 1000 S 2000 A", "-")]
    [InlineData("F F F F F 1000 S 1000 F", "4000")]
    [InlineData("C F F C F F C F", "1000")]
    [InlineData("F F F F F c 1000 c c", "-")]
    [InlineData("F F F F F 1000 c F c", "2000")]
    [InlineData("F F F F F 1000 S 1000 c S c", "2000")]
    [InlineData("F F F F F 60999 c", "-")]
    [InlineData("F F F F F 61000 C C F c", "2000")]
    [InlineData("F F F F F 1000 c A C C", "-")]
    public void The_table_of_pauses(string steps, string left)
    {
        foreach (var step in steps.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
            {
                _clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
                continue;
            }

            var visit = _circuit.Enter(mayProbe: step is not ("C" or "c"));
            Assert.Equal(step is "x" or "c", visit.Outage is not null);
            switch (step)
            {
                case "F":
                    visit.Failed("status 500");
                    break;
                case "A":
                    visit.Answered();
                    break;
                case "S":
                    continue;
            }

            visit.Dispose();
        }

        Assert.Equal(left, _circuit.Outage is { } outage && outage.KeepsOut(mayProbe: true) ? $"{outage.Remaining.TotalMilliseconds:0}{(outage.IsLong ? " long" : "")}" : "-");
    }

    [Fact]
    public void After_the_pause_exactly_one_call_is_let_through_and_its_answer_lets_all_the_others()
    {
        Open();
        _clock.Advance(LaneCircuit.FirstPause);

        using var probe = _circuit.Enter();
        Assert.Null(probe.Outage);
        Assert.All(Enumerable.Range(0, 10), _ => Assert.NotNull(_circuit.Enter().Outage));
        probe.Answered();
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Null(_circuit.Enter().Outage));
    }

    [Fact]
    public void Of_many_that_come_at_once_one_is_let_through()
    {
        Open();
        _clock.Advance(LaneCircuit.FirstPause);
        var through = 0;

        Parallel.For(0, 64, _ =>
        {
            if (_circuit.Enter().Outage is null)
            {
                Interlocked.Increment(ref through);
            }
        });

        Assert.Equal(1, through);
    }

    [Fact]
    public void A_probe_that_says_nothing_is_joined_by_another_after_a_pause_and_either_may_close_it()
    {
        Open();
        _clock.Advance(LaneCircuit.FirstPause);
        using var first = _circuit.Enter();
        _clock.Advance(LaneCircuit.FirstPause);
        using var second = _circuit.Enter();

        Assert.Null(second.Outage);
        Assert.NotNull(_circuit.Enter().Outage);
        first.Failed("connect timeout");
        Assert.Equal(2 * LaneCircuit.FirstPause, _circuit.Outage?.Remaining);
        first.Answered();
        Assert.Null(_circuit.Outage);
    }

    [Fact]
    public void A_lane_that_lets_every_probe_wait_in_vain_is_down_for_long_once_the_first_has_given_up()
    {
        Open();
        _clock.Advance(LaneCircuit.FirstPause);
        using var first = _circuit.Enter();
        for (var waited = TimeSpan.Zero; waited < 2 * LaneCircuit.LongestPause; waited += LaneCircuit.FirstPause)
        {
            _clock.Advance(LaneCircuit.FirstPause);
            _circuit.Enter();
        }

        Assert.False(_circuit.Outage?.IsLong);
        first.Failed("no answer in time");
        Assert.True(_circuit.Outage?.IsLong);
    }

    [Fact]
    public void What_was_under_way_when_the_lane_went_down_makes_no_pause_longer()
    {
        var underWay = Enumerable.Range(0, 30).Select(_ => _circuit.Enter()).ToList();
        foreach (var visit in underWay)
        {
            visit.Failed("status 529");
        }

        Assert.Equal(LaneCircuit.FirstPause, _circuit.Outage?.Remaining);
    }

    [Fact]
    public void Of_many_calls_on_a_connection_that_breaks_one_counts()
    {
        var sharing = Enumerable.Range(0, 30).Select(_ => _circuit.Enter()).ToList();
        sharing.ForEach(visit => visit.Dropped("ResponseEnded"));
        Assert.Null(_circuit.Outage);

        for (var call = 1; call < LaneCircuit.FailuresMax; call++)
        {
            Assert.Null(_circuit.Outage);
            _circuit.Enter().Dropped("ResponseEnded");
        }

        Assert.Equal(LaneCircuit.FirstPause, _circuit.Outage?.Remaining);
    }

    [Fact]
    public void A_success_that_was_under_way_closes_it()
    {
        using var early = _circuit.Enter();
        Open();

        early.Answered();

        Assert.Null(_circuit.Outage);
        Assert.Equal("ok", _circuit.Shown);
    }

    [Fact]
    public void A_clock_that_is_set_back_or_forth_changes_no_pause()
    {
        var circuit = new LaneCircuit("zai", Address, new CorrectedClock(_clock), _log);
        for (var failure = 0; failure < LaneCircuit.FailuresMax; failure++)
        {
            circuit.Enter().Failed("status 500");
        }

        Assert.Equal(LaneCircuit.FirstPause, circuit.Outage?.Remaining);
    }

    [Fact]
    public void The_log_and_the_operator_are_told_when_it_opens_and_when_it_closes()
    {
        Open();
        Assert.Equal("Error: Lane anthropic failed 5 times in a row, the last time with status 503; it is left alone for 1 s", Assert.Single(_log.All));
        _clock.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal("down; tried again in 1 s", _circuit.Shown);
        _clock.Advance(TimeSpan.FromMilliseconds(800));
        Assert.Equal("down; tried again in 0 s", _circuit.Shown);

        _circuit.Enter().Failed("ConnectionError: refused");
        Assert.Equal("Error: Lane anthropic failed 6 times in a row, the last time with ConnectionError: refused; it is left alone for 2 s", _log.All[1]);

        _clock.Advance(TimeSpan.FromSeconds(2));
        _circuit.Enter().Answered();
        _circuit.Enter().Answered();
        Assert.Equal("Information: Lane anthropic answers again", _log.All[2]);
        Assert.Equal(3, _log.All.Count);
        _circuit.Enter().Failed("status 500");
        Assert.Equal("ok; the last 1 failed", _circuit.Shown);
    }

    [Fact]
    public void A_call_on_a_lane_that_works_allocates_nothing()
    {
        var circuits = new LaneCircuits(Configuration.Configured.Good("").Lanes, _clock, _log);
        var lane = Configuration.Configured.Good("").Lanes[0];
        Call();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < 100; call++)
        {
            Call();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Call()
        {
            using var visit = circuits.Of(lane).Enter();
            visit.Answered();
            if (circuits.Down.Count != 0)
            {
                throw new InvalidOperationException("A lane is down.");
            }
        }
    }

    private void Open()
    {
        for (var failure = 0; failure < LaneCircuit.FailuresMax; failure++)
        {
            using var visit = _circuit.Enter();
            visit.Failed("status 503");
        }

        Assert.NotNull(_circuit.Outage);
    }

    /// <summary>A wall clock that is corrected by an hour at every look.</summary>
    private sealed class CorrectedClock(TimeProvider inner) : TimeProvider
    {
        private int _hours;

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow().AddHours(_hours++);
    }
}
