using System.Text;
using Ccp.Metering;

namespace Ccp.Tests.Metering;

/// <summary>Readings of streams and bodies, as values that compare member by member.</summary>
internal static class Metered
{
    public const string Start =
        """{"type":"message_start","message":{"model":"claude-sonnet-5-5","usage":{"input_tokens":40,"output_tokens":1}}}""";

    public const string Stop = """{"type":"message_stop"}""";

    public static MeterReading Stream(ReadOnlySpan<byte> stream) => Stream(stream, stream.Length);

    public static MeterReading Stream(ReadOnlySpan<byte> stream, params int[] cuts)
    {
        using var meter = new UsageMeter();
        var start = 0;
        foreach (var cut in cuts)
        {
            meter.Observe(stream[start..cut]);
            start = cut;
        }

        meter.Observe(stream[start..]);
        return meter.Read();
    }

    public static MeterReading Events(params string[] data) => Stream(Tape(data));

    public static byte[] Tape(params string[] data) =>
        Encoding.UTF8.GetBytes(string.Concat(data.Select(json => $"event: x\ndata: {json}\n\n")));

    public static string Text(string text) =>
        $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{{{text}}}"}}""";

    public static string Report(string usage, string? stopReason = "end_turn") =>
        $$$"""{"type":"message_delta","delta":{"stop_reason":{{{(stopReason is null ? "null" : $"\"{stopReason}\"")}}}},"usage":{{{usage}}}}""";

    public static MeterReading Body(string json) => BodyUsage.Read(Encoding.UTF8.GetBytes(json));

    /// <summary>A reading in one line: two readings are the same when their lines are.</summary>
    public static string Line(MeterReading reading) =>
        $"{reading.Quality} {reading.HasStarted} {reading.AnsweredModel} {reading.ErrorType} {reading.Usage.Tokens} "
        + $"{reading.Usage.WebSearches} {reading.Usage.ServiceTier} {reading.Usage.InferenceGeo} {reading.Usage.Speed} "
        + string.Join(';', reading.Usage.Iterations);
}
