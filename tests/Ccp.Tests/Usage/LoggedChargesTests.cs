using Ccp.Tests.Store;
using Ccp.Usage;

namespace Ccp.Tests.Usage;

public sealed class LoggedChargesTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<string> _unreadable = [];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0.00009448", "0.00009448")]
    [InlineData("0.000000001", "0.000000001")]
    [InlineData("12345678.123456789", "12345678.123456789")]
    [InlineData("3", "3.00")]
    public void An_amount_keeps_every_digit(string logged, string amount)
    {
        Assert.Equal(amount, Assert.Single(Read(Line("req_1", logged))).Amount.ToString());
        Assert.Empty(_unreadable);
    }

    [Fact]
    public void What_was_not_charged_is_left_out_and_what_stands_twice_counts_once()
    {
        var charges = Read(
            """{"ts":1,"rid":"req_1","status":-1,"user":"alice","event":"decision"}""",
            Line("req_1", "0.5"),
            Line("req_2", "0"),
            """{"ts":1,"rid":"req_3","status":429,"user":"alice"}""",
            Line("req_1", "0.5"));

        Assert.Equal(new LoggedCharge("req_1", "alice", "claude-haiku-4-5", new Ccp.Pricing.NanoUsd(500_000_000), DateTimeOffset.UnixEpoch.AddSeconds(1.5)), Assert.Single(charges));
        Assert.Empty(_unreadable);
    }

    [Fact]
    public void What_recovery_charged_stands_over_what_the_end_of_the_call_said()
    {
        var recovered = Line("req_1", "0.25").Replace("\"status\":200", "\"status\":200,\"reason\":\"crash\"", StringComparison.Ordinal);

        Assert.Equal("0.25", Assert.Single(Read(Line("req_1", "0.5"), recovered)).Amount.ToString());
        Assert.Equal("0.25", Assert.Single(Read(recovered, Line("req_1", "0.5"))).Amount.ToString());
    }

    [Theory]
    [InlineData("""{"rid":"req_1","user":"alice","charge_usd":0.0""")]
    [InlineData("""{"rid":"req_1","user":"alice","charge_usd":9.448e-05}""")]
    [InlineData("""{"ts":1,"rid":"req_1","charge_usd":1}""")]
    [InlineData("""{"rid":"req_1","user":"alice","charge_usd":1}""")]
    [InlineData("""{"ts":1e20,"rid":"req_1","user":"alice","charge_usd":1}""")]
    [InlineData("""{"user":"alice","charge_usd":1}""")]
    [InlineData("garbage")]
    [InlineData("[]")]
    public void A_line_that_cannot_be_read_is_named_and_the_others_count(string line)
    {
        Assert.Equal("req_2", Assert.Single(Read(line, Line("req_2", "1"))).Id);
        Assert.EndsWith("usage.jsonl:1", Assert.Single(_unreadable), StringComparison.Ordinal);
    }

    private static string Line(string id, string charge) => $$"""{"ts":1.5,"rid":"{{id}}","status":200,"user":"alice","lane":"anthropic","model":"claude-haiku-4-5","charge_usd":{{charge}}}""";

    private Dictionary<string, LoggedCharge>.ValueCollection Read(params string[] lines)
    {
        File.WriteAllLines(_folder["usage.jsonl"], lines);
        return LoggedCharges.Read([_folder["usage.jsonl"]], _unreadable.Add).Values;
    }
}
