namespace Ccp.Pricing;

/// <summary>Tokens by the class they are priced in. A value, so that a running stream can be read without allocating.</summary>
/// <param name="Input">Prompt tokens that were neither read from nor written to the cache.</param>
/// <param name="CacheWrite5m">Written to the cache for five minutes; also those whose lifetime was not said.</param>
/// <param name="CacheWrite1h">Written to the cache for an hour.</param>
/// <param name="CacheRead">Read from the cache.</param>
/// <param name="Output">Generated, thinking included.</param>
internal readonly record struct TokenUsage(long Input, long CacheWrite5m, long CacheWrite1h, long CacheRead, long Output)
{
    public long CacheWrite => CacheWrite5m + CacheWrite1h;

    /// <summary>What a price tier looks at: everything the model had to read.</summary>
    public long Prompt => Input + CacheWrite5m + CacheWrite1h + CacheRead;

    public long Total => Prompt + Output;

    public static TokenUsage operator +(TokenUsage left, TokenUsage right) => new(
        left.Input + right.Input,
        left.CacheWrite5m + right.CacheWrite5m,
        left.CacheWrite1h + right.CacheWrite1h,
        left.CacheRead + right.CacheRead,
        left.Output + right.Output);
}
