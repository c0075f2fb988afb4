namespace Ccp.ScriptedUpstream;

/// <summary>The token counts an answer reports. All in tokens; <paramref name="Output"/> is the final count.</summary>
public sealed record Usage(long Input, long Output, long CacheWrite5m = 0, long CacheWrite1h = 0, long CacheRead = 0)
{
    public long CacheWrite => CacheWrite5m + CacheWrite1h;

    /// <summary>Input and cache counts with the write split by lifetime, as <c>message_start</c> and whole messages carry them.</summary>
    internal string ToJson(long output) =>
        $$"""{"input_tokens":{{Input}},"cache_creation_input_tokens":{{CacheWrite}},"cache_read_input_tokens":{{CacheRead}},"cache_creation":{"ephemeral_5m_input_tokens":{{CacheWrite5m}},"ephemeral_1h_input_tokens":{{CacheWrite1h}}},"output_tokens":{{output}},"service_tier":"standard"}""";

    /// <summary>The running totals of <c>message_delta</c>, which has no split.</summary>
    internal string ToDeltaJson() =>
        $$"""{"input_tokens":{{Input}},"cache_creation_input_tokens":{{CacheWrite}},"cache_read_input_tokens":{{CacheRead}},"output_tokens":{{Output}}}""";
}
