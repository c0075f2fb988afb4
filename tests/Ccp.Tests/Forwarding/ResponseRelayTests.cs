using System.IO.Pipelines;
using System.Text;
using Ccp.Configuration.Sections;
using Ccp.Forwarding;
using Ccp.Pricing;
using Ccp.Tests.Ledger;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Forwarding;

/// <summary>A relay between two pipes, the ends of which are the test's.</summary>
public sealed class ResponseRelayTests : IAsyncDisposable
{
    private const string Start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n";

    private static readonly RateCard Rates =
        new("a", new PriceRow("a", new TokenPrices(0.001m, 0, 0, 0, 0.005m), null, null, 0, 1, null, default, "test"), 1m, PriceBook.BuiltIn, default, true);

    private readonly TempFolder _folder = new();
    private readonly Books _books;
    private readonly ManualClock _clock = new();
    private readonly CancellationTokenSource _clientLeft = new();
    private readonly Pipe _upstream = new(Inline(pausesAbove: 64 * 1024));
    private readonly AnswerMeter _meter = AnswerMeter.ForStream();

    /// <summary>Whatever is written waits until it has been read.</summary>
    private readonly Pipe _client = new(Inline(pausesAbove: 1));
    private readonly CallStop _stop;
    private readonly ResponseRelay _relay;
    private int _abandoned;

    public ResponseRelayTests()
    {
        _books = Books.Open(_folder);
        _stop = new CallStop(_clock, _clientLeft.Token);
        var money = new CallMoney(_books.Ledger, _books.Ledger.PlaceNothing(Ccp.Telemetry.RequestId.New()), row: null, rates: null);
        _relay = new ResponseRelay(_upstream.Reader.AsStream(), _client.Writer, Abandon, _meter, BuiltInLanes.Find("anthropic")!, _stop, money, _clock);
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Dispose();
        _meter.Dispose();
        _clientLeft.Dispose();
        await _books.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_client_that_takes_nothing_for_the_idle_time_is_given_up_and_not_a_second_earlier()
    {
        await _upstream.Writer.WriteAsync("event: ping\n\n"u8.ToArray());
        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(Start));
        var running = _relay.RunAsync();

        _clock.Advance(TimeSpan.FromSeconds(299));
        _relay.Wake();
        Assert.Equal(0, _abandoned);
        Assert.False(running.IsCompleted);

        _clock.Advance(TimeSpan.FromSeconds(1));
        _relay.Wake();

        Assert.Equal(1, _abandoned);
        Assert.Equal(RelayEnd.ClientLeft, await running.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(25, _meter.Read().Usage.Tokens.Input);
    }

    [Fact]
    public async Task A_client_that_does_not_take_the_last_words_is_given_up_too()
    {
        await _upstream.Writer.CompleteAsync();
        Assert.Equal(RelayEnd.UpstreamCut, await _relay.RunAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        var told = _relay.TellAsync("event: error\n\n"u8.ToArray()).AsTask();

        _clock.Advance(TimeSpan.FromSeconds(299));
        _relay.Wake();
        Assert.Equal(0, _abandoned);
        Assert.False(told.IsCompleted);

        _clock.Advance(TimeSpan.FromSeconds(1));
        _relay.Wake();
        Assert.Equal(1, _abandoned);
        await told.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task The_time_a_slow_client_took_is_not_taken_for_the_upstream_s_silence()
    {
        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(Start));
        var running = _relay.RunAsync();

        _clock.Advance(TimeSpan.FromSeconds(299));
        await TakeAsync();
        _clock.Advance(TimeSpan.FromSeconds(2));
        _relay.Wake();
        Assert.False(running.IsCompleted);

        await _upstream.Writer.WriteAsync("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8.ToArray());
        await TakeAsync();
        await _upstream.Writer.CompleteAsync();

        Assert.Equal(RelayEnd.Complete, await running.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, _abandoned);
    }

    /// <summary>What arrives is not served. What it says of the prompt counts, as far as whole events say it.</summary>
    [Theory]
    [InlineData("event: content_block_delta\ndata: {\"type\":\"content_bl", 0)]
    [InlineData(Start, 25)]
    [InlineData(": hello\n\n" + Start + "event: content_block_delta\ndata: {\"type\":\"content_bl", 25)]
    public async Task What_arrives_while_a_stream_is_being_ended_does_not_take_it_into_the_middle_of_an_event(string arrives, long prompt)
    {
        var late = new LateStream();
        var money = new CallMoney(_books.Ledger, _books.Ledger.PlaceNothing(Ccp.Telemetry.RequestId.New()), row: null, rates: null);
        var relay = new ResponseRelay(late, _client.Writer, Abandon, _meter, BuiltInLanes.Find("anthropic")!, _stop, money, _clock);
        var running = relay.RunAsync();

        _stop.Stop(RelayEnd.OutOfCredit);
        late.Arrives(Encoding.UTF8.GetBytes(arrives));

        Assert.Equal(RelayEnd.OutOfCredit, await running.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.True(relay.CanTell);
        Assert.False(_client.Reader.TryRead(out _));
        Assert.Equal(prompt, _meter.Read().Usage.Tokens.Input);
    }

    [Theory]
    [InlineData(Start + "event: content_block_delta\ndata: {\"type\":\"content_bl", 25)]
    [InlineData("event: message_start\ndata: {\"type\":\"mess", 0)]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"no\"}}\n\n", 0)]
    public async Task Of_a_stream_that_was_to_end_before_its_first_event_nothing_is_served_and_its_prompt_is_known(string arrives, long prompt)
    {
        await using var books = Books.Open(_folder, name: "poor.db", overdraft: 0);
        var account = await books.NewAccountAsync(1_000);
        using var dear = books.Place(account, 10);
        using var newest = books.Place(account, 10);
        dear.NoteProgress(Books.Progress(2_000));
        var relay = new ResponseRelay(_upstream.Reader.AsStream(), _client.Writer, Abandon, _meter, BuiltInLanes.Find("anthropic")!, _stop, new CallMoney(books.Ledger, newest, row: null, Rates), _clock);
        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(arrives));

        Assert.Equal(RelayEnd.OutOfCredit, await relay.RunAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.False(relay.HasReachedClient);
        Assert.True(relay.CanTell);
        Assert.Equal(prompt, _meter.Read().Usage.Tokens.Input);
    }

    /// <summary>As Kestrel does with the body of an answer whose status allows none.</summary>
    [Fact]
    public async Task An_answer_that_the_web_server_does_not_take_is_a_cut_and_is_metered()
    {
        await _client.Writer.CompleteAsync();
        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(Start));

        Assert.Equal(RelayEnd.UpstreamCut, await _relay.RunAsync().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(25, _meter.Read().Usage.Tokens.Input);
        Assert.False(_relay.CanTell);
    }

    [Fact]
    public async Task Of_many_events_in_one_read_none_is_served_or_charged_after_the_one_that_used_up_the_money()
    {
        await using var books = Books.Open(_folder, name: "poor.db", overdraft: 0);
        var account = await books.NewAccountAsync(1_000);
        using var hold = books.Place(account, 10);

        // Five nano-dollars a token of output, and each event has a hundred: the second passes what there is.
        var relay = new ResponseRelay(_upstream.Reader.AsStream(), _client.Writer, Abandon, _meter, BuiltInLanes.Find("anthropic")!, _stop, new CallMoney(books.Ledger, hold, row: null, Rates), _clock);
        var text = $"event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"delta\":{{\"type\":\"text_delta\",\"text\":\"{new string('x', 320)}\"}}}}\n\n";
        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(Start + string.Concat(Enumerable.Repeat(text, 9)) + "event: content_block_delta\nda"));
        var running = relay.RunAsync();

        Assert.Equal(Start + text + text, await TakeAsync());
        Assert.Equal(RelayEnd.OutOfCredit, await running.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(200, _meter.RunningTokens.Output);
    }

    [Fact]
    public async Task A_message_whose_last_numbers_use_up_the_money_is_finished()
    {
        await using var books = Books.Open(_folder, name: "poor.db", overdraft: 0);
        var account = await books.NewAccountAsync(100);
        using var hold = books.Place(account, 10);
        var relay = new ResponseRelay(_upstream.Reader.AsStream(), _client.Writer, Abandon, _meter, BuiltInLanes.Find("anthropic")!, _stop, new CallMoney(books.Ledger, hold, row: null, Rates), _clock);
        var last = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1000}}\n\n";
        var stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        var running = relay.RunAsync();

        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(Start + last));
        Assert.Equal(Start + last, await TakeAsync());
        Assert.True(hold.MustEnd);
        relay.Wake();
        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(stop));
        Assert.Equal(stop, await TakeAsync());
        await _upstream.Writer.CompleteAsync();

        Assert.Equal(RelayEnd.Complete, await running.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task The_final_numbers_go_to_disk_while_the_end_is_still_to_come_and_no_time_passes()
    {
        var account = await _books.NewAccountAsync(1_000_000_000);
        using var hold = _books.Place(account, 10);
        var money = new CallMoney(_books.Ledger, hold, Books.RowFor(hold, account, promptCharge: 25), Rates, owedFor: last => last.Usage);
        Assert.True(await money.MakeDurableAsync());
        var relay = new ResponseRelay(_upstream.Reader.AsStream(), _client.Writer, Abandon, _meter, BuiltInLanes.Find("anthropic")!, _stop, money, _clock);
        var running = relay.RunAsync();

        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(Start));
        await TakeAsync();
        Assert.Equal(25, await ChargeOnDiskAsync());
        await _upstream.Writer.WriteAsync("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":1000}}\n\n"u8.ToArray());
        await TakeAsync();

        // 25 of input at one nano-dollar, 1000 of output at five.
        Assert.Equal(5_025, await ChargeOnDiskAsync());
        await _upstream.Writer.CompleteAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Between_events_silence_is_filled_with_a_ping_every_thirty_seconds()
    {
        await _upstream.Writer.WriteAsync(Encoding.UTF8.GetBytes(Start));
        var running = _relay.RunAsync();
        await TakeAsync();

        _clock.Advance(TimeSpan.FromSeconds(29));
        _relay.Wake();
        Assert.False(_client.Reader.TryRead(out _));
        _clock.Advance(TimeSpan.FromSeconds(1));
        _relay.Wake();
        Assert.Equal("event: ping\ndata: {\"type\": \"ping\"}\n\n", await TakeAsync());
        _clock.Advance(TimeSpan.FromSeconds(29));
        _relay.Wake();
        Assert.False(_client.Reader.TryRead(out _));
        _clock.Advance(TimeSpan.FromSeconds(1));
        _relay.Wake();
        Assert.Equal("event: ping\ndata: {\"type\": \"ping\"}\n\n", await TakeAsync());

        await _upstream.Writer.CompleteAsync();
        Assert.Equal(RelayEnd.UpstreamCut, await running.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    /// <summary>Each side goes on where the other acts, so that the test knows how far the relay is.</summary>
    private static PipeOptions Inline(long pausesAbove) =>
        new(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: pausesAbove, resumeWriterThreshold: 1, useSynchronizationContext: false);

    private async Task<string> TakeAsync()
    {
        var read = await _client.Reader.ReadAsync();
        var text = Encoding.UTF8.GetString(read.Buffer);
        _client.Reader.AdvanceTo(read.Buffer.End);
        return text;
    }

    /// <summary>What a hold's row says once all that was queued so far is written.</summary>
    private async Task<long> ChargeOnDiskAsync()
    {
        await _books.Writes.WriteAsync(static _ => true);
        return _books.Read("SELECT charge_nano FROM hold", row => row.GetInt64(0));
    }

    /// <summary>What breaking a connection off does: the wait for the client ends, and the client has left.</summary>
    private void Abandon()
    {
        _abandoned++;
        _clientLeft.Cancel();
        _client.Reader.Complete();
    }

    /// <summary>A first read that no cancellation stops any more.</summary>
    private sealed class LateStream : MemoryStream
    {
        private readonly TaskCompletionSource<byte[]> _arrived = new();
        private bool _wasRead;

        public void Arrives(byte[] bytes) => _arrived.SetResult(bytes);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_wasRead)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            _wasRead = true;
            var bytes = await _arrived.Task;
            bytes.CopyTo(buffer);
            return bytes.Length;
        }
    }
}
