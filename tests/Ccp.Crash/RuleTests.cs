using Ccp.Crash.Audit;
using Ccp.Crash.Calls;
using Ccp.Ledger;
using Ccp.Pricing;

namespace Ccp.Crash;

/// <summary>
/// Goal: each rule of the audit can fail.
/// Method: books made up for one call, right but for one thing.
/// </summary>
public sealed class RuleTests
{
    private static readonly CallPlan Plan = CallPlan.Stream(number: 7, pieces: 4);

    [Fact]
    public void A_served_call_must_be_charged()
    {
        var call = CallSeenUpTo(2);
        Assert.Contains("not charged", Assert.Single(Judge(call, Books())), StringComparison.Ordinal);
        Assert.Contains("not charged", Assert.Single(Judge(CallSeenUpTo(0), Books())), StringComparison.Ordinal);
        Assert.Empty(Judge(call, Books(Recovered(Plan.ChargeAfter(2)))));
    }

    [Fact]
    public void An_open_hold_must_be_charged_even_if_nothing_arrived()
    {
        var call = new Call(Plan, "user") { Sent = 0 };
        Assert.Empty(Judge(call, Books()));
        Assert.Single(Judge(call, Books(), BooksWithHold(Plan.PromptEstimate)));
        Assert.Empty(Judge(call, Books(Recovered(Plan.PromptEstimate)), BooksWithHold(Plan.PromptEstimate)));
    }

    [Fact]
    public void A_call_that_was_never_answered_must_not_be_charged_unless_the_client_left()
    {
        var call = new Call(Plan, "user");
        Assert.NotEmpty(Judge(call, Books(Recovered(Plan.PromptEstimate))));
        call.HasLeft = true;
        Assert.Empty(Judge(call, Books(Settled(Plan.PromptEstimate, "client_left", isEstimated: true))));
    }

    [Fact]
    public void A_call_must_not_be_charged_twice()
    {
        Assert.Contains("2 times", Assert.Single(Judge(CallSeenUpTo(2), Books(Recovered(Plan.ChargeAfter(2)), Recovered(Plan.ChargeAfter(2)) with { Id = "other" }))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(5, true)]
    [InlineData(0, false)]
    [InlineData(6, false)]
    public void The_charge_lies_between_what_was_on_disk_and_what_was_sent(int step, bool isRight)
    {
        var call = CallSeenUpTo(3);
        call.Sent = 5;
        Assert.Equal(isRight, !Judge(call, Books(Recovered(Plan.ChargeAfter(step))), BooksWithHold(Plan.ChargeAfter(1))).Any());
    }

    [Fact]
    public void An_amount_that_the_call_never_came_to_is_wrong_by_the_smallest_coin()
    {
        Assert.NotEmpty(Judge(CallSeenUpTo(3), Books(Recovered(Plan.ChargeAfter(3) + new NanoUsd(1)))));
    }

    [Fact]
    public void Only_the_exact_charge_goes_unmarked_and_only_a_broken_call_is_marked()
    {
        var whole = CallSeenUpTo(Plan.Steps.Count - 1);
        Assert.Empty(Judge(whole, Books(Settled(Plan.Exact, "ok", isEstimated: false))));
        Assert.NotEmpty(Judge(whole, Books(Settled(Plan.ChargeAfter(5), "ok", isEstimated: false))));
        Assert.NotEmpty(Judge(whole, Books(Settled(Plan.Exact, "ok", isEstimated: true))));
        Assert.NotEmpty(CallRules.Violations(whole, Books(Recovered(Plan.Exact)), null, ProcessEnd.Stopped));
    }

    [Fact]
    public void What_was_settled_before_the_kill_stays()
    {
        var whole = CallSeenUpTo(Plan.Steps.Count - 1);
        var settled = Settled(Plan.Exact, "ok", isEstimated: false);
        Assert.Empty(Judge(whole, Books(settled), Books(settled)));
        Assert.NotEmpty(Judge(whole, Books(Recovered(Plan.Exact)), Books(settled)));
        Assert.NotEmpty(Judge(whole, Books(), Books(settled)));
    }

    [Fact]
    public void A_charge_and_a_request_belong_together()
    {
        var request = Recovered(Plan.Exact);
        var charge = new EntryLine("user", EntryKind.Charge, -Plan.Exact, request.Id, "estimated (crash)");
        Assert.Empty(BookRules.Violations(Books(request) with { Entries = [charge] }, []));
        Assert.NotEmpty(BookRules.Violations(Books() with { Entries = [charge] }, []));
        Assert.NotEmpty(BookRules.Violations(Books(request), []));
        Assert.NotEmpty(BookRules.Violations(Books(request) with { Entries = [charge, charge] }, []));
        Assert.NotEmpty(BookRules.Violations(Books(request) with { Entries = [charge with { Amount = new NanoUsd(-1) }] }, []));
    }

    [Fact]
    public void A_top_up_that_was_confirmed_stands_once()
    {
        var topUp = new Servers.TopUp("user", "5", "invoice");
        var entry = new EntryLine("user", EntryKind.TopUp, NanoUsd.CeilingFromUsd(5), "invoice", "");
        Assert.Empty(BookRules.Violations(Books(), [topUp]));
        Assert.Empty(BookRules.Violations(Books() with { Entries = [entry] }, [topUp]));
        Assert.NotEmpty(BookRules.Violations(Books() with { Entries = [entry, entry] }, [topUp]));
        Assert.NotEmpty(BookRules.Violations(Books() with { Entries = [entry with { Amount = new NanoUsd(1) }] }, [topUp]));
        topUp.IsConfirmed = true;
        Assert.NotEmpty(BookRules.Violations(Books(), [topUp]));
    }

    [Fact]
    public void A_hold_left_open_a_wrong_hash_and_a_wrong_balance_are_found()
    {
        Assert.NotEmpty(BookRules.Violations(BooksWithHold(Plan.Exact), []));
        Assert.NotEmpty(BookRules.Violations(Books() with { LedgerProblem = "entry 3" }, []));
        Assert.NotEmpty(BookRules.Violations(Books() with { Balances = new Dictionary<string, NanoUsd> { ["user"] = new(1) } }, []));
    }

    private static IEnumerable<string> Judge(Call call, StoreView books, StoreView? before = null) => CallRules.Violations(call, books, before, ProcessEnd.Killed);

    private static Call CallSeenUpTo(int step)
    {
        var call = new Call(Plan, "user") { Sent = step };
        call.HeadArrived();
        call.Received(System.Text.Encoding.UTF8.GetBytes(string.Concat(Plan.Steps.Take(step + 1).Select(sent => sent.Text))));
        Assert.Equal(step, call.Seen);
        return call;
    }

    private static StoreView Books(params RequestLine[] requests) => new(null, [], requests, new Dictionary<string, NanoUsd>(), new Dictionary<string, NanoUsd>());

    private static StoreView BooksWithHold(NanoUsd charge) => Books() with { Holds = new Dictionary<string, NanoUsd> { [Plan.Session] = charge } };

    private static RequestLine Recovered(NanoUsd charge) => Settled(charge, "crash", isEstimated: true);

    private static RequestLine Settled(NanoUsd charge, string reason, bool isEstimated) => new("req", Plan.Session, reason, isEstimated, charge);
}
