using Ccp.Forwarding;

namespace Ccp.Tests.Forwarding;

public sealed class RetryAfterHeaderTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(null, null)]
    [InlineData("30", 30)]
    [InlineData("0", 0)]
    [InlineData("-5", null)]
    [InlineData("soon", null)]
    [InlineData("99999999999999999999", null)]
    [InlineData("Sun, 22 Nov 2026 12:01:30 GMT", 90)]
    [InlineData("Sun, 22 Nov 2026 11:00:00 GMT", 0)]
    public void A_wait_is_read_in_both_forms_and_nonsense_is_none(string? header, int? seconds)
    {
        using var answer = new HttpResponseMessage();
        if (header is not null)
        {
            answer.Headers.TryAddWithoutValidation("retry-after", header);
        }

        Assert.Equal(seconds, (int?)RetryAfterHeader.In(answer, Now)?.TotalSeconds);
        Assert.Equal(header, answer.Headers.NonValidated.TryGetValues("retry-after", out var kept) ? kept.ToString() : null);
    }
}
