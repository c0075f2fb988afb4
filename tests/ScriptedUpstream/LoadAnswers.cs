using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Ccp.ScriptedUpstream;

/// <summary>The same stream or message for every request, from bytes rendered once; nothing is allocated per event.</summary>
/// <remarks>
/// Each delta's text is <c>t=</c> and 19 digits: nanoseconds of the monotonic clock, read just before the write. A client on
/// the same machine that reads <see cref="Stopwatch.GetTimestamp"/> on arrival has the time the event spent on its way.
/// </remarks>
internal sealed class LoadAnswers
{
    private const string Model = "claude-opus-5-5";
    private const int Digits = 19;
    private static readonly string Unstamped = new('0', Digits);
    private static readonly Usage Reported = ClaudeCodeAnswers.MainUsage;

    private readonly int _events;
    private readonly TimeSpan _interval;
    private readonly TimeSpan _firstByte;
    private readonly byte[] _opening;
    private readonly byte[] _delta;
    private readonly int _stampAt;
    private readonly byte[] _closing;
    private readonly byte[] _message;

    public LoadAnswers(int events, TimeSpan interval, TimeSpan firstByte, int replyBytes)
    {
        _events = events;
        _interval = interval;
        _firstByte = firstByte;
        _opening = Bytes(SseEvents.MessageStart(Model, Reported) + SseEvents.TextStart() + SseEvents.Ping);
        _delta = Bytes(SseEvents.TextDelta($"t={Unstamped} "));
        _stampAt = _delta.AsSpan().IndexOf(Bytes(Unstamped));
        _closing = Bytes(SseEvents.BlockStop() + SseEvents.MessageDelta(Reported) + SseEvents.MessageStop);
        var frame = Answers.Message(Model, "", Reported).Body.Length;
        _message = Answers.Message(Model, new string('x', Math.Max(0, replyBytes - frame)), Reported).Body;
    }

    public async Task ServeAsync(HttpContext context)
    {
        try
        {
            var streams = await AsksForStreamAsync(context.Request.BodyReader);
            if (_firstByte > TimeSpan.Zero)
            {
                await Task.Delay(_firstByte, context.RequestAborted);
            }

            await (streams ? StreamAsync(context) : ReplyAsync(context.Response));
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // A load generator that stops leaves in mid-stream: that is no news.
        }
    }

    private async Task StreamAsync(HttpContext context)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        var writer = response.BodyWriter;
        await writer.WriteAsync(_opening, context.RequestAborted);

        // One timer for the whole stream: Task.Delay would allocate one per event.
        using var ticks = _interval > TimeSpan.Zero ? new PeriodicTimer(_interval) : null;
        for (var sent = 0; sent < _events; sent++)
        {
            if (ticks is not null)
            {
                await ticks.WaitForNextTickAsync(context.RequestAborted);
            }

            WriteDelta(writer);
            await writer.FlushAsync(context.RequestAborted);
        }

        await writer.WriteAsync(_closing, context.RequestAborted);
    }

    private void WriteDelta(PipeWriter writer)
    {
        var span = writer.GetSpan(_delta.Length);
        _delta.CopyTo(span);
        var nanoseconds = Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);
        Utf8Formatter.TryFormat(nanoseconds, span[_stampAt..], out _, new StandardFormat('D', Digits));
        writer.Advance(_delta.Length);
    }

    private async Task ReplyAsync(HttpResponse response)
    {
        response.ContentType = "application/json";
        response.ContentLength = _message.Length;
        await response.BodyWriter.WriteAsync(_message);
    }

    private static async ValueTask<bool> AsksForStreamAsync(PipeReader body)
    {
        while (true)
        {
            var read = await body.ReadAsync();
            if (read.IsCompleted)
            {
                var streams = Contains(read.Buffer, "\"stream\":true"u8) || Contains(read.Buffer, "\"stream\": true"u8);
                body.AdvanceTo(read.Buffer.End);
                return streams;
            }

            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static bool Contains(in ReadOnlySequence<byte> body, ReadOnlySpan<byte> text) => body.IsSingleSegment
        ? body.FirstSpan.IndexOf(text) >= 0
        : new SequenceReader<byte>(body).TryReadTo(out ReadOnlySequence<byte> _, text);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
