using System.Text.Json;
using Ccp.Refusals;

namespace Ccp.Tests.Refusals;

public sealed class RefusalMapTests
{
    public static TheoryData<string> Codes => [.. Enum.GetNames<RefusalCode>()];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Every_refusal_has_a_form_on_the_wire(string code)
    {
        var wire = RefusalMap.ToWire(Enum.Parse<RefusalCode>(code));

        Assert.InRange(wire.Status, 400, 599);
        Assert.Matches("^[a-z_]+$", wire.Type);

        // A client that may not retry is not told when to.
        Assert.True(wire.ClientMayRetry || wire.RetryAfterSeconds is null);
    }

    [Theory]
    [InlineData("TokenUnknown", 401, "authentication_error", false, null)]
    [InlineData("UserDisabled", 403, "permission_error", false, null)]
    [InlineData("InsufficientCredit", 402, "billing_error", false, null)]
    [InlineData("FundsSpokenFor", 429, "rate_limit_error", true, 5)]
    [InlineData("UserExpired", 403, "permission_error", false, null)]
    [InlineData("AddressNotAllowed", 403, "permission_error", false, null)]
    [InlineData("NotFromLocalUser", 403, "permission_error", false, null)]
    [InlineData("ConcurrencyReached", 429, "rate_limit_error", true, 5)]
    [InlineData("DaySpendReached", 402, "billing_error", false, null)]
    [InlineData("MonthSpendReached", 402, "billing_error", false, null)]
    [InlineData("SpendSpokenFor", 429, "rate_limit_error", true, 5)]
    [InlineData("ModelNotAllowed", 403, "permission_error", false, null)]
    [InlineData("ModelNotPriced", 403, "permission_error", false, null)]
    [InlineData("BodyTooLarge", 413, "request_too_large", true, null)]
    [InlineData("BodyTooSlow", 408, "invalid_request_error", false, null)]
    [InlineData("BodyMalformed", 400, "invalid_request_error", true, null)]
    [InlineData("UnknownPath", 404, "not_found_error", true, null)]
    [InlineData("QuotaReached", 429, "rate_limit_error", true, null)]
    [InlineData("NoOwnLogin", 401, "authentication_error", false, null)]
    [InlineData("UpstreamKeyRefused", 503, "api_error", false, null)]
    [InlineData("LaneUnreachable", 503, "api_error", true, 5)]
    [InlineData("LaneTimedOut", 503, "api_error", true, 5)]
    [InlineData("LaneDownBriefly", 503, "api_error", true, null)]
    [InlineData("LaneDown", 503, "api_error", false, null)]
    [InlineData("LedgerUnavailable", 503, "api_error", false, null)]
    [InlineData("ShuttingDown", 503, "api_error", true, 5)]
    [InlineData("InternalError", 500, "api_error", false, null)]
    public void A_refusal_looks_as_Claude_Code_needs_it(string code, int status, string type, bool mayRetry, int? retryAfter)
    {
        Assert.Equal(new WireError(status, type, mayRetry, retryAfter), RefusalMap.ToWire(Enum.Parse<RefusalCode>(code)));
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(999, 1, true)]
    [InlineData(1_001, 2, true)]
    [InlineData(60_000, 60, true)]
    [InlineData(60_001, 61, false)]
    [InlineData(240_000, 240, false)]
    [InlineData(long.MaxValue / 10_000, int.MaxValue, false)]
    public void A_wait_is_told_in_whole_seconds_and_a_long_one_is_not_slept_through(long milliseconds, int retryAfter, bool mayRetry)
    {
        var refusal = new Refusal(RefusalCode.TokenRateReached, "wait") { Wait = TimeSpan.FromMilliseconds(milliseconds) };

        Assert.Equal(new WireError(429, "rate_limit_error", mayRetry, retryAfter), RefusalMap.ToWire(refusal));
    }

    [Theory]
    [InlineData("LaneDownBriefly", true)]
    [InlineData("LaneDown", false)]
    public void A_lane_that_is_down_says_until_when_and_one_that_stays_so_is_not_asked_again(string code, bool mayRetry)
    {
        var refusal = new Refusal(Enum.Parse<RefusalCode>(code), "down") { Wait = TimeSpan.FromSeconds(7.2) };

        Assert.Equal(new WireError(503, "api_error", mayRetry, 8), RefusalMap.ToWire(refusal));
    }

    [Fact]
    public void A_number_that_is_no_code_is_a_bug_and_no_status()
    {
        Assert.Throws<System.Diagnostics.UnreachableException>(() => RefusalMap.ToWire((RefusalCode)9999));
    }

    [Fact]
    public void An_error_is_written_as_an_Anthropic_client_reads_it()
    {
        const string Message = "It's \"used up\"\nnow – ask <someone>";
        using var json = JsonDocument.Parse(ErrorBody.Json("billing_error", Message, "req_1"));

        Assert.Equal("error", json.RootElement.GetProperty("type").GetString());
        Assert.Equal("billing_error", json.RootElement.GetProperty("error").GetProperty("type").GetString());
        Assert.Equal(Message, json.RootElement.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("req_1", json.RootElement.GetProperty("request_id").GetString());
    }

    [Fact]
    public void An_error_event_is_one_event_whatever_the_message_holds()
    {
        var text = System.Text.Encoding.UTF8.GetString(ErrorBody.Event("api_error", "two\nlines\r\n\r\ndata: x", "req_1"));

        Assert.StartsWith("event: error\ndata: {", text, StringComparison.Ordinal);
        Assert.EndsWith("}\n\n", text, StringComparison.Ordinal);
        Assert.Equal(4, text.Split('\n').Length);
    }
}
