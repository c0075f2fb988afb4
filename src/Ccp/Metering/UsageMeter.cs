using System.Text.Json;
using Ccp.Pricing;

namespace Ccp.Metering;

/// <summary>Reads what a streamed response cost, from the bytes on their way to the client.</summary>
/// <remarks>
/// Shape: <c>message_start</c> carries <c>message.usage</c>, each <c>message_delta</c> carries <c>usage</c>, cumulative, and
/// <c>message_stop</c> ends the stream. There may be several deltas. Each event is one <c>data:</c> line.
/// Errors: none, whatever the bytes. A meter that cannot read says so in <see cref="MeterReading.Quality"/>; it never disturbs the relay.
/// Allocates nothing per content event. Not safe for use from two threads at once.
/// Source: https://docs.claude.com/en/docs/build-with-claude/streaming (read 2026-08).
/// </remarks>
/// <param name="seen">Told of the signatures of thinking blocks; null: nobody wants them.</param>
internal sealed class UsageMeter(SignatureSeen? seen = null) : IDisposable
{
    private readonly SseLines _lines = new();
    private readonly UsageTally _tally = new();
    private readonly SignaturePieces? _signatures = seen is null ? null : new SignaturePieces(seen);
    private string? _answeredModel;
    private string? _errorType;
    private bool _isFirstLine = true;
    private bool _hasLaterUsage;
    private bool _isDoubtful;

    /// <summary>What the stream has used so far; output is the larger of the last report and the estimate until the final report is in.</summary>
    public TokenUsage RunningTokens => _tally.Tokens;

    /// <summary>What the provider has said so far of how it serves the call.</summary>
    public PriceTerms ReportedTerms => _tally.Terms;

    /// <summary>Whether a usage report or any content has been seen: from here on the call costs something.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>Whether the provider's final numbers are in: worth a checkpoint at once, since nothing can be owed beyond them.</summary>
    public bool HasFinalUsage => _tally.IsFinal;

    /// <summary>Whether <c>message_stop</c> has been seen: the stream ended as it should.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Whether an <c>error</c> event has been seen.</summary>
    public bool SawError { get; private set; }

    /// <inheritdoc cref="SseLines.IsAtEventBoundary"/>
    public bool IsAtEventBoundary => _lines.IsAtEventBoundary;

    /// <summary>Takes the next bytes of the response, cut wherever the network cut them.</summary>
    public void Observe(ReadOnlySpan<byte> bytes)
    {
        while (_lines.TryTake(ref bytes, out var line))
        {
            if (_isFirstLine)
            {
                _isFirstLine = false;
                line = line.StartsWith("\uFEFF"u8) ? line["\uFEFF"u8.Length..] : line;
            }

            if (line.StartsWith("data:"u8))
            {
                ObserveData(line["data:"u8.Length..].TrimStart(" \t"u8));
            }
        }
    }

    /// <inheritdoc cref="SseLines.EventEndIn"/>
    public int EventEndIn(ReadOnlySpan<byte> bytes) => _lines.EventEndIn(bytes);

    /// <summary>The reading as of now. May be asked for at any time; what it says last is final.</summary>
    public MeterReading Read()
    {
        if (!HasStarted)
        {
            return MeterReading.NotStarted with { AnsweredModel = _answeredModel, ErrorType = _errorType };
        }

        // A line that could not be read may have been a report, even the one that mattered.
        var isWhole = _tally.IsFinal && !_isDoubtful && _lines.SkippedLines == 0;
        var quality = _tally.IsSuspect ? ReadingQuality.Suspect : isWhole ? ReadingQuality.Exact : ReadingQuality.Estimated;
        return new MeterReading(_tally.ToUsage(), quality, _answeredModel, HasStarted: true, _errorType);
    }

    public void Dispose() => _lines.Dispose();

    private void ObserveData(ReadOnlySpan<byte> json)
    {
        if (json is not [(byte)'{', ..])
        {
            return;
        }

        MessageEvent? type = null;
        try
        {
            type = MessageEvents.TypeOf(json);
            ObserveEvent(type.Value, json);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is how the reader refuses text that is not UTF-8, or half a surrogate pair.
            _isDoubtful |= type is null or MessageEvent.MessageStart or MessageEvent.MessageDelta;
        }
    }

    private void ObserveEvent(MessageEvent type, ReadOnlySpan<byte> json)
    {
        switch (type)
        {
            case MessageEvent.ContentBlockDelta:
                ObserveContent(json, isDelta: true);
                break;
            case MessageEvent.ContentBlockStart:
                _signatures?.EndBlock();
                ObserveContent(json, isDelta: false);
                break;
            case MessageEvent.ContentBlockStop:
                _signatures?.EndBlock();
                break;
            case MessageEvent.MessageStart:
                ObserveStart(json);
                break;
            case MessageEvent.MessageDelta:
                ObserveReport(json);
                break;
            case MessageEvent.MessageStop:
                IsComplete = true;
                _tally.IsFinal |= _hasLaterUsage;
                break;
            case MessageEvent.Error:
                ObserveError(json);
                break;
            case MessageEvent.Other:
            default:
                break;
        }
    }

    private void ObserveContent(ReadOnlySpan<byte> json, bool isDelta)
    {
        long bytes = 0;
        long? announced = null;
        var isSuspect = false;
        var reader = Open(json);
        while (reader.ReadMember())
        {
            if (isDelta && reader.ValueTextEquals("delta"u8))
            {
                bytes += reader.TryEnterObject() ? ContentText.ReadDelta(ref reader, _signatures, out announced, out isSuspect) : 0;
            }
            else if (!isDelta && reader.ValueTextEquals("content_block"u8))
            {
                bytes += reader.TryEnterObject() ? ContentText.ReadBlock(ref reader, _signatures) : 0;
            }
            else
            {
                reader.Skip();
            }
        }

        ExpectEnd(ref reader);
        HasStarted = true;
        _tally.AddText(bytes);
        _tally.AddAnnounced(announced, isSuspect);

        // More content makes an earlier last word one of several.
        _tally.IsFinal = false;
    }

    private void ObserveStart(ReadOnlySpan<byte> json)
    {
        var message = new ReportedMessage();
        var reader = Open(json);
        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("message"u8) && reader.TryEnterObject())
            {
                message.Read(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        ExpectEnd(ref reader);
        _answeredModel = message.Model ?? _answeredModel;
        _tally.AddText(message.TextBytes);
        HasStarted |= message.TextBytes > 0;
        if (message.Usage is { } usage)
        {
            HasStarted = true;
            _tally.Merge(usage);
        }
    }

    private void ObserveReport(ReadOnlySpan<byte> json)
    {
        var hasStopped = false;
        ReportedUsage? usage = null;
        var reader = Open(json);
        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("usage"u8))
            {
                usage = reader.TryEnterObject() ? ReportedUsage.Read(ref reader) : usage;
            }
            else if (reader.ValueTextEquals("delta"u8))
            {
                hasStopped = reader.TryEnterObject() && MessageEvents.HasStopReason(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        ExpectEnd(ref reader);
        if (usage is { } reported)
        {
            HasStarted = true;
            var canBeLast = _tally.Merge(reported);
            _hasLaterUsage |= canBeLast;
            _tally.IsFinal |= canBeLast && hasStopped;
        }
    }

    private void ObserveError(ReadOnlySpan<byte> json)
    {
        SawError = true;
        var message = new ReportedMessage();
        var reader = Open(json);
        message.Read(ref reader);
        _errorType = message.ErrorType ?? _errorType;
    }

    private static Utf8JsonReader Open(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, JsonText.ReaderOptions);
        reader.Read();
        return reader;
    }

    /// <summary>Reads on to the end, so that a line that is more than one document counts as none.</summary>
    private static void ExpectEnd(ref Utf8JsonReader reader) => reader.Read();
}
