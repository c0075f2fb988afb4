using Ccp.Pricing;

namespace Ccp.Quotas;

/// <summary>What one call uses of the quotas of the lane it was sent to, while it runs.</summary>
/// <param name="at">When the call began: its record says the same, so that a restart counts it where it was counted.</param>
internal sealed class QuotaUse(QuotaBook book, string requestId, string lane, string model, DateTimeOffset at)
{
    public string RequestId { get; } = requestId;

    public string Lane { get; } = lane;

    public string Model { get; } = model;

    public DateTimeOffset At { get; } = at;

    /// <summary>Tokens counted so far. Owned by <see cref="QuotaBook"/>, under its lock, as are the two that follow.</summary>
    public long Counted { get; set; }

    /// <summary>Its record was counted instead: what is said of it from here on is known already.</summary>
    public bool IsRecorded { get; set; }

    public bool IsClosed { get; set; }

    /// <summary>Input, output and what was written to the cache. What is read from it is left out, as providers leave it out.</summary>
    public static long TokensOf(in TokenUsage tokens) => tokens.Input + tokens.CacheWrite + tokens.Output;

    /// <summary>The call has come to so many tokens in all.</summary>
    public void Note(in TokenUsage tokens) => book.Count(this, TokensOf(tokens));

    /// <summary>The call is over, and its record, if it leaves one, is on its way to the store.</summary>
    /// <param name="tokens">What its record says; none when it used nothing.</param>
    public void Close(in TokenUsage tokens) => book.Close(this, TokensOf(tokens));
}
