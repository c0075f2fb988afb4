using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ccp.Refusals;

/// <summary>An error as an Anthropic client reads it, as bytes: a JSON body, or an event in a stream that has begun.</summary>
internal static class ErrorBody
{
    // A sentence for a person: an apostrophe stays one. What comes of it goes into JSON only, never into a page.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static ReadOnlySpan<byte> EventHead => "event: error\ndata: "u8;

    private static ReadOnlySpan<byte> EventEnd => "\n\n"u8;

    public static byte[] Json(string type, string message, string requestId)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, Readable);
        json.WriteStartObject();
        json.WriteString("type"u8, "error"u8);
        json.WriteStartObject("error"u8);
        json.WriteString("type"u8, type);
        json.WriteString("message"u8, message);
        json.WriteEndObject();
        json.WriteString("request_id"u8, requestId);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Event(string type, string message, string requestId) =>
        [.. EventHead, .. Json(type, message, requestId), .. EventEnd];
}
