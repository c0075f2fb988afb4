using System.Buffers;
using Ccp.Metering;
using Ccp.Pricing;

namespace Ccp.Forwarding;

/// <summary>Reads what an answer used, whatever form it comes in: a stream in passing, one JSON when it is whole, or not at all.</summary>
internal sealed class AnswerMeter : IDisposable
{
    /// <summary>A JSON answer larger than this is relayed but not read: no model writes so much.</summary>
    private const int JsonBytesMax = 64 * 1024 * 1024;

    private readonly Form _form;
    private readonly UsageMeter? _stream;
    private readonly BodySignatures? _jsonSignatures;
    private byte[] _json = [];
    private int _jsonBytes;
    private bool _isJsonWhole = true;

    private AnswerMeter(Form form, SignatureSeen? seen)
    {
        _form = form;
        _stream = form == Form.Stream ? new UsageMeter(seen) : null;
        _jsonSignatures = form == Form.Json && seen is not null ? new BodySignatures(seen) : null;
    }

    private enum Form
    {
        Stream,
        Json,
        Unmetered,
    }

    public bool IsStream => _form == Form.Stream;

    public long BytesSeen { get; private set; }

    /// <summary>True when what the call used so far is known, so that ending it now loses no reading.</summary>
    public bool HasStarted => _stream?.HasStarted ?? false;

    /// <summary>True when the final numbers are in.</summary>
    public bool HasFinalUsage => _stream?.HasFinalUsage ?? false;

    /// <summary>True when the stream has said that it is over.</summary>
    public bool IsComplete => _stream?.IsComplete ?? false;

    /// <summary>True where ccp may put an event of its own.</summary>
    public bool IsAtEventBoundary => _stream?.IsAtEventBoundary ?? false;

    public bool SawError => _stream?.SawError ?? false;

    public TokenUsage RunningTokens => _stream?.RunningTokens ?? default;

    public PriceTerms ReportedTerms => _stream?.ReportedTerms ?? default;

    /// <param name="seen">Told of the signatures of thinking blocks before the bytes go on; null: nobody wants them.</param>
    public static AnswerMeter ForStream(SignatureSeen? seen = null) => new(Form.Stream, seen);

    /// <inheritdoc cref="ForStream"/>
    public static AnswerMeter ForJson(SignatureSeen? seen = null) => new(Form.Json, seen);

    /// <summary>For what costs nothing.</summary>
    public static AnswerMeter ForUnmetered() => new(Form.Unmetered, seen: null);

    public void Observe(ReadOnlySpan<byte> bytes)
    {
        BytesSeen += bytes.Length;
        _stream?.Observe(bytes);
        if (_form == Form.Json)
        {
            Keep(bytes);
            _jsonSignatures?.Observe(_json.AsSpan(0, _jsonBytes));
        }
    }

    /// <summary>Reads one event off the front of bytes that go nowhere.</summary>
    /// <returns>False when they do not reach to the end of one, or there are no events: then nothing was read.</returns>
    public bool ObserveEvent(ref ReadOnlySpan<byte> bytes)
    {
        if (_stream?.EventEndIn(bytes) is not (>= 0 and var end))
        {
            return false;
        }

        Observe(bytes[..end]);
        bytes = bytes[end..];
        return true;
    }

    /// <returns>How many of these bytes reach to the end of an event; all of them when it goes on beyond them, or when there are no events.</returns>
    public int EventLengthIn(ReadOnlySpan<byte> bytes) => _stream?.EventEndIn(bytes) is { } end and >= 0 ? end : bytes.Length;

    public MeterReading Read() => _form switch
    {
        Form.Stream => _stream!.Read(),
        Form.Json when _isJsonWhole => BodyUsage.Read(_json.AsSpan(0, _jsonBytes)),
        _ => MeterReading.NotStarted,
    };

    public void Dispose()
    {
        var json = _json;
        _json = [];
        if (json.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(json);
        }

        (_stream as IDisposable)?.Dispose();
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_jsonBytes + bytes.Length > JsonBytesMax)
        {
            _isJsonWhole = false;
            return;
        }

        if (_jsonBytes + bytes.Length > _json.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(16 * 1024, (_jsonBytes + bytes.Length) * 2));
            _json.AsSpan(0, _jsonBytes).CopyTo(larger);
            if (_json.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_json);
            }

            _json = larger;
        }

        bytes.CopyTo(_json.AsSpan(_jsonBytes));
        _jsonBytes += bytes.Length;
    }
}
