using System.Text.Json;
using Ccp.Configuration;
using Ccp.Ledger;
using Ccp.Pricing;
using Ccp.Relay;
using Ccp.Routing;
using Ccp.Telemetry;
using Ccp.Tests.Configuration;
using Ccp.Tests.Identity;
using Ccp.Tests.Ledger;
using Ccp.Tests.Store;
using Ccp.Usage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ccp.Tests.Relay;

public sealed class RelayCloseoutTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_failed_inside_ccp_after_its_answer_had_begun_says_in_the_usage_log_what_it_is_charged(bool isExact)
    {
        var log = Configured.Good("").Logs;
        await using var books = Books.Open(_folder);
        var metrics = new Metrics(books.Clock.GetUtcNow());
        await using (var usage = new UsageLog(log, _folder.Path, books.Clock, NullLogger.Instance))
        {
            var closeout = new RelayCloseout(books.Writes, new ChargeHistory(), usage, books.Ledger, NanoUsd.Zero, metrics, books.Clock, NullLogger.Instance);
            var account = await books.NewAccountAsync(1_000_000);
            using var hold = await books.ServeAsync(account, 100, promptCharge: 20);
            hold.NoteProgress(Books.Progress(70) with { Final = isExact ? new FinalReading("{}", null, "claude-opus-5-5", IsExact: true) : null });
            var call = CallOf(hold.Id, books.Clock.GetUtcNow());
            closeout.Finish(call, hold);
            hold.Dispose();
            await books.Writes.DisposeAsync();

            var charge = Assert.Single(books.Entries(account), entry => entry.Kind == EntryKind.Charge);
            Assert.Equal((new NanoUsd(-70), hold.Id.Value), (charge.Amount, charge.Reference));
            Assert.Equal(70, call.Owed!.Tokens.Output);
        }

        using var line = JsonDocument.Parse(Assert.Single(File.ReadAllLines(_folder["usage.jsonl"])));
        Assert.Equal(
            ("internal_error", "0.00000007", "0.000000035", !isExact, 70),
            (line.RootElement.GetProperty("reason").GetString(), Digits("charge_usd"), Digits("cost_usd"), line.RootElement.GetProperty("estimated").GetBoolean(), line.RootElement.GetProperty("output_tokens").GetInt32()));

        string Digits(string name) => line.RootElement.GetProperty(name).GetRawText();
    }

    private static CallReport CallOf(RequestId id, DateTimeOffset now)
    {
        var row = PriceBook.BuiltIn.Find("claude-opus-5-5", now)!;
        return new CallReport(id, now)
        {
            User = AccessTokenTests.Someone(1, "alice", "token"),
            Facts = new RequestFacts("claude-opus-5-5", true, 5, 5, null),
            Plan = new LanePlan(Configured.Good("").Lanes[0], new Secret("sk"), false, RouteReason.Default, new RateCard("claude-opus-5-5", row, 2m, PriceBook.BuiltIn, now, IsFixed: false)),
        };
    }
}
