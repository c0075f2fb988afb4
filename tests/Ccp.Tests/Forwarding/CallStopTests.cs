using Ccp.Forwarding;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Forwarding;

public sealed class CallStopTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly CancellationTokenSource _client = new();
    private readonly CallStop _stop;

    public CallStopTests()
    {
        _stop = new CallStop(_clock, _client.Token);
    }

    public void Dispose()
    {
        _stop.Dispose();
        _client.Dispose();
    }

    [Fact]
    public void An_upstream_that_does_not_begin_in_time_is_given_up()
    {
        _stop.AllowUntilAnswer(TimeSpan.FromSeconds(10));
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(_stop.Token.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_stop.Token.IsCancellationRequested);
        Assert.Equal(RelayEnd.TimedOut, _stop.Cause);
    }

    [Fact]
    public void Once_the_answer_has_begun_its_length_does_not_matter()
    {
        _stop.AllowUntilAnswer(TimeSpan.FromSeconds(10));
        _stop.AnswerHasBegun();
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.False(_stop.Token.IsCancellationRequested);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_leaves_early_leaves_the_upstream_a_grace_to_begin(bool answerHasBegun)
    {
        _stop.AllowUntilAnswer(TimeSpan.FromSeconds(600));
        if (answerHasBegun)
        {
            _stop.AnswerHasBegun();
        }

        _client.Cancel();
        _stop.AnswerHasBegun();
        _clock.Advance(CallStop.GraceForStart - TimeSpan.FromSeconds(1));
        Assert.False(_stop.Token.IsCancellationRequested);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_stop.Token.IsCancellationRequested);
        Assert.Equal(RelayEnd.ClientLeft, _stop.Cause);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_known_ends_with_the_client(bool isGoneFirst)
    {
        if (isGoneFirst)
        {
            _client.Cancel();
            _stop.MayEndAtOnce();
        }
        else
        {
            _stop.MayEndAtOnce();
            Assert.False(_stop.Token.IsCancellationRequested);
            _client.Cancel();
        }

        Assert.True(_stop.Token.IsCancellationRequested);
        Assert.Equal(RelayEnd.ClientLeft, _stop.Cause);
    }

    [Fact]
    public void The_first_reason_stays()
    {
        _stop.Stop(RelayEnd.OutOfCredit);
        _stop.Stop(RelayEnd.ShutDown);
        _client.Cancel();
        Assert.Equal(RelayEnd.OutOfCredit, _stop.Cause);
    }

    [Fact]
    public void Stopping_a_call_that_has_just_ended_is_nothing()
    {
        _stop.Dispose();
        _stop.Stop(RelayEnd.ShutDown);
        _client.Cancel();
    }
}
