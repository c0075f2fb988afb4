using System.Text;
using Ccp.Pricing;
using Ccp.ScriptedUpstream;

namespace Ccp.Crash.Calls;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>How one call is to go: what is asked, what is answered step by step, and what it comes to after each step.</summary>
/// <remarks>
/// The money is reckoned here from the published prices, apart from ccp: 4 and 20 USD per million tokens of claude-opus-5-5 are 4 000 and
/// 20 000 nano-dollars a token, and the markup doubles them. Every call has token counts of its own, so that an amount names its call and its step.
/// </remarks>
internal sealed record CallPlan
{
    public const string Model = "claude-opus-5-5";

    /// <summary>Before the head of the answer.</summary>
    public const int NoStep = -1;

    private const long NanoPerInputToken = 8_000;
    private const long NanoPerOutputToken = 40_000;

    private CallPlan(int number, bool isStream)
    {
        Session = $"call-{number}";
        Body = Encoding.UTF8.GetBytes(
            $$"""{"model":"{{Model}}","max_tokens":1024,"messages":[{"role":"user","content":"{{new string('x', 40 + (number % 400))}}"}],"stream":{{(isStream ? "true" : "false")}}}""");

        // The documented estimate: the bytes of the request at 3.2 to the token.
        PromptEstimate = Charge(Body.Length * 10L / 32, 0);
    }

    /// <summary>Names the call in ccp's records, and to the upstream.</summary>
    public string Session { get; }

    public byte[] Body { get; }

    /// <summary>What is owed for a call of which only the prompt is known.</summary>
    public NanoUsd PromptEstimate { get; }

    /// <summary>In the order they are sent; the first is the head.</summary>
    public IReadOnlyList<Step> Steps { get; private init; } = [];

    /// <summary>The step that carries the provider's last word on what was used.</summary>
    public int FinalUsageStep { get; private init; }

    /// <summary>The upstream says that it is overloaded, and nothing else.</summary>
    public bool IsOverloaded { get; init; }

    /// <summary>The last step that is sent before the upstream breaks the line; null when it does not.</summary>
    public int? CutAfter { get; init; }

    /// <summary>When the client goes, if it does not wait for the end.</summary>
    public TimeSpan? LeavesAfter { get; init; }

    /// <summary>Between two steps.</summary>
    public TimeSpan Pace { get; init; }

    /// <summary>The upstream waits before this step until it may go on. The count of <see cref="Steps"/> is before the end of the answer.</summary>
    public int? PausesBefore { get; init; }

    public NanoUsd Exact => ChargeAfter(FinalUsageStep);

    /// <summary>True when nothing is owed once it is over: the upstream said no, or broke off before any content.</summary>
    public bool CostsNothing => IsOverloaded || CutAfter < 1;

    public static CallPlan Stream(int number, int pieces)
    {
        // The reported output is above any estimate from the text, as it is in life: a token of text has more than three bytes.
        var usage = new Usage(Input: 1_000 + number, Output: 100 + (pieces * 8));
        var steps = new List<Step>
        {
            new("", new CallPlan(number, isStream: true).PromptEstimate),
            new(SseEvents.MessageStart(Model, usage), Charge(usage.Input, 1)),
            new(SseEvents.TextStart(), Charge(usage.Input, 1)),
        };
        for (var piece = 1; piece <= pieces; piece++)
        {
            // 16 bytes of text are 5 tokens at 3.2 bytes each.
            steps.Add(new(SseEvents.TextDelta($"piece {piece,9} "), Charge(usage.Input, 5 * piece)));
        }

        steps.Add(new(SseEvents.BlockStop(), Charge(usage.Input, 5 * pieces)));
        steps.Add(new(SseEvents.MessageDelta(usage), Charge(usage.Input, usage.Output)));
        steps.Add(new(SseEvents.MessageStop, Charge(usage.Input, usage.Output)));
        return new CallPlan(number, isStream: true) { Steps = steps, FinalUsageStep = steps.Count - 2 };
    }

    /// <summary>An answer in one JSON, sent in two pieces. The first ends before the content, so that nothing is known of what was used before it is whole.</summary>
    public static CallPlan Whole(int number)
    {
        var plan = new CallPlan(number, isStream: false);
        var usage = new Usage(Input: 1_000 + number, Output: 321);
        var body = Encoding.UTF8.GetString(Answers.Message(Model, "An answer that comes whole.", usage).Body);
        var cut = body.IndexOf("\"content\"", StringComparison.Ordinal);
        return plan with
        {
            Steps =
            [
                new("", plan.PromptEstimate),
                new(body[..cut], plan.PromptEstimate),
                new(body[cut..], Charge(usage.Input, usage.Output)),
            ],
            FinalUsageStep = 2,
        };
    }

    public bool IsStream => Steps.Count > 3;

    /// <summary>What the call comes to when the answer has been seen up to this step.</summary>
    public NanoUsd ChargeAfter(int step) => step < 0 ? PromptEstimate : Steps[Math.Min(step, Steps.Count - 1)].Charge;

    private static NanoUsd Charge(long input, long output) => new((input * NanoPerInputToken) + (output * NanoPerOutputToken));
}

/// <param name="Text">What is sent; nothing for the head.</param>
/// <param name="Charge">What the call comes to once this has been seen.</param>
internal sealed record Step(string Text, NanoUsd Charge);
